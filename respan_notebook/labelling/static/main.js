// What a notebook asks for: one view of a widget.

/** Draw one editor by itself, for `editor_for`. */
function drawEditor(model, el, signal) {
  const entries = new Entries();
  const line = new Line(model, () => {});
  let timer = 0;
  const send = () => line.send({ do: "draft", entries: entries.send(line.last + 1) });
  const editor = new EditorView(model.get("setup").evaluators[0], (draft) => {
    entries.drafts.set(0, draft);
    editor.show(editor.entry, draft, false);
    clearTimeout(timer);
    timer = setTimeout(send, DRAFT_PAUSE);
  });
  const draw = () => {
    const screen = model.get("screen");
    const isOurs = line.note(screen.answer);
    if (isOurs) entries.answer(line.answered);
    const isFresh = !isOurs && !entries.drafts.size;
    editor.show(screen.entries[0], entries.drafts.get(0) ?? null, isFresh);
  };
  model.on("change:screen", draw);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    model.off("change:screen", draw);
  });
  el.classList.add("rn-host", "rn-single");
  el.append(editor.element);
  draw();
}

/** Draw the annotator. */
function drawAnnotator(model, el, signal) {
  const view = new AnnotatorView(model, el, signal);
  view.draw();
}

export default {
  render({ model, el }) {
    const abort = new AbortController();
    const draw = model.get("face") === "editor" ? drawEditor : drawAnnotator;
    draw(model, el, abort.signal);
    return () => abort.abort();
  },
};
