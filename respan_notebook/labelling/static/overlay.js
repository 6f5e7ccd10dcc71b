// What covers the screen for a while: the keys, what becomes of labels, the finish, a lost kernel.

const HELP = [
  ["1, 2, … a, c, …", "the choice or point that bears this key, in the marked editor"],
  ["0 – 9", "tenths of a slider"],
  ["y, n", "yes or no"],
  ["← →", "one step down or up"],
  ["↑ ↓", "mark the editor above or below"],
  ["Enter", "save and go to the next log (Ctrl+Enter while typing)"],
  ["s", "skip this log"],
  ["b", "back to the log before"],
  ["u, Shift+u", "undo the last save or skip, also in Respan; redo it"],
  ["v", "score with the value shown"],
  ["x", "clear: no score"],
  ["w", "write into the next text field"],
  ["e", "explain the score"],
  ["Esc", "leave a text field; then leave the annotator"],
  ["?", "these keys"],
];

class Overlay {
  /** @param {AnnotatorView} view */
  constructor(view) {
    this.view = view;
    this.element = h("div.rn-overlay", { hidden: true });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** The kind of what is shown: keys, sync, finish or lost; empty for nothing. */
  get kind() {
    return this.element.dataset.rnKind ?? "";
  }

  open(kind, title, ...children) {
    this.close();
    const close = h(
      "button.rn-icon",
      { type: "button", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.close() },
      "✕",
    );
    const head = h(
      "div.rn-overlay-head",
      {},
      h("b", {}, title),
      ...(kind === "lost" ? [] : [close]),
    );
    const card = h(
      "div.rn-card",
      { role: "dialog", "aria-label": title, tabindex: "-1" },
      head,
      ...children,
    );
    this.element.dataset.rnKind = kind;
    this.element.replaceChildren(card);
    this.element.hidden = false;
    card.focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    this.element.hidden = true;
    this.element.dataset.rnKind = "";
    this.element.replaceChildren();
    this.view.rest();
  }

  showKeys() {
    const own = this.view.setup.answers
      ? [["1 – 9", "settle with the answer that bears this number"]]
      : [];
    const rows = [...own, ...HELP].map(([key, what]) =>
      h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, what)),
    );
    this.open("keys", "Keys", h("table", {}, h("tbody", {}, ...rows)));
  }

  // What becomes of the labels: why they wait, whose they are, which were refused.
  showSync() {
    const { sync, counts, foreign, elsewhere } = this.view.screen;
    const parts = [h("p", {}, sync.reason || syncText(counts, sync))];
    const act = (text, what, argument = "") =>
      h(
        "button.rn-button",
        { type: "button", onclick: () => (this.close(), this.view.act(what, argument)) },
        text,
      );
    if (counts.refused) {
      const here = counts.refused - elsewhere;
      if (here)
        parts.push(
          h(
            "p",
            {},
            `${counted(here, "score")} of these logs refused by Respan. `,
            act("Go through them", "show_only", "refused"),
          ),
        );
      if (elsewhere)
        parts.push(
          h(
            "p",
            {},
            `${counted(elsewhere, "score")} of another frame, or by another evaluator, refused by Respan. `,
            act("Show them", "list_elsewhere"),
          ),
        );
      parts.push(
        h("p", {}, "Was it the server's fault? ", act("Send all refused again", "send_again")),
      );
    }
    for (const [who, queued] of foreign)
      parts.push(
        h(
          "p",
          {},
          `${counted(queued, "score")} entered by ${who} wait here, and go out when they open the annotator. `,
          act("They are mine: send them", "adopt", who),
        ),
      );
    const title = sync.state === "kept" ? "Kept here" : "On the way to Respan";
    this.open("sync", title, ...parts);
  }

  showFinish() {
    const { counts, finish } = this.view.screen;
    const open = counts.left + counts.partly + counts.skipped;
    const go = (text, which) =>
      h(
        "button.rn-button",
        { type: "button", onclick: () => (this.close(), this.view.act("show_only", which)) },
        text,
      );
    const parts = [h("p", {}, this.view.counts.textContent)];
    for (const [title, values] of finish ?? []) {
      const most = Math.max(...values.map(([, count]) => count));
      const rows = values.map(([value, count]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, value),
          h(
            "td",
            {},
            h("span.rn-share", { style: `width: ${(count / most) * 120}px` }),
            String(count),
          ),
        ),
      );
      parts.push(h("p", {}, h("b", {}, title)), h("table", {}, h("tbody", {}, ...rows)));
    }
    if (open) parts.push(go(`Go to the ${open} left`, "unscored"));
    const refused = counts.refused - this.view.screen.elsewhere;
    if (refused > 0) parts.push(go(`Go to the ${refused} refused`, "refused"));
    this.open("finish", open ? "That was the last log" : "All logs are scored", ...parts);
  }

  // The kernel is gone: what is stored is said, and what is not stays here to be copied.
  showLost() {
    const kept = [...this.view.entries.drafts].map(([place, draft]) => {
      const { spec, control } = this.view.editors[place];
      const value = draft.typed ?? draft.value;
      const text = [
        typeof value === "string" ? value : value == null ? "" : control.say(value),
        draft.explanation,
      ];
      return h(
        "label",
        {},
        spec.title,
        h("textarea", { readonly: true, rows: 3 }, text.filter(Boolean).join("\n")),
      );
    });
    this.open(
      "lost",
      "The kernel was restarted, or has ended",
      h(
        "p",
        {},
        "What you saved is on disk, and so are your drafts. Run this cell again to go on.",
      ),
      ...(kept.length
        ? [h("p", {}, "This was not stored yet. Copy it before you run the cell:"), ...kept]
        : []),
    );
  }
}

function syncText(counts, sync) {
  if (counts.queued) return `${counted(counts.queued, "score")} on the way.`;
  if (sync.state === "done" && counts.delivered) return "All your scores are in Respan.";
  return "Nothing waits to be sent.";
}

function badgeText(counts, sync, foreign) {
  const kept = counts.queued.toLocaleString("en-US");
  if (sync.state === "kept") return "✓ kept here";
  const others = foreign ? " · others' labels wait" : "";
  if (sync.state === "halted") return `✗ not sent, ${kept} kept${others}`;
  if (sync.state === "waiting") return `⏸ offline, ${kept} kept${others}`;
  if (counts.refused) return `✗ ${counts.refused} refused${others}`;
  if (counts.queued) return `↑ ${kept} on the way${others}`;
  return (counts.delivered ? "✓ all in Respan" : "✓ nothing waits") + others;
}
