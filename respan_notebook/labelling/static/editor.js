// One editor: its state, its control, and the reason behind a score.

const NOTHING = {
  state: "unset",
  value: null,
  explanation: "",
  previous: null,
  previous_explanation: "",
  source: "",
  error: "",
  typed: null,
  refusal: "",
};

const MARKS = {
  unset: ["○", "not scored"],
  typing: ["✎", "being typed"],
  set: ["✓", "entered"],
  shown: ["↑", "scored before"],
  cleared: ["–", "cleared"],
  invalid: ["✗", "no score"],
  refused: ["✗", "refused by Respan"],
};

const KEYS_OF_KIND = { slider: "0–9", number: "w", line: "w", area: "w", json: "w", tags: "w" };

class EditorView {
  /**
   * @param {any} spec What `describe` in editor.py returns.
   * @param {(draft: any) => void} enter Called with each entry of the person, as `Entry.draft`.
   */
  constructor(spec, enter) {
    this.spec = spec;
    this.entry = NOTHING;
    this.draft = null;
    this.enter = enter;
    this.control = makeControl(spec.control, spec.title, (partial) =>
      enter({ ...partial, explanation: this.now().explanation }),
    );
    this.build();
  }

  build() {
    const { title, about, problem, control } = this.spec;
    const hasKey = control.kind !== "slider" || control.keys.length > 0;
    const key = hasKey && KEYS_OF_KIND[control.kind];
    this.mark = h("span.rn-mark", { "aria-hidden": "true" });
    this.stateText = h("span.rn-state");
    this.useLink = link("use this v", "Score with the value shown (v)", () => this.accept());
    this.clearLink = link("clear x", "No score (x)", () => this.clear());
    this.whyLink = link("why? e", "Explain the score (e)", () => this.explain());
    this.why = h("input.rn-why", {
      type: "text",
      placeholder: "Why? (optional)",
      autocomplete: "off",
      "aria-label": `Explanation of ${title}`,
      oninput: () => this.enter({ ...this.bare(), explanation: this.why.value }),
    });
    const name = h("b", {}, title);
    const head = h(
      "div.rn-head",
      {},
      this.mark,
      name,
      ...(key ? [h("kbd", { "aria-hidden": "true" }, key)] : []),
      this.stateText,
    );
    const links = h(
      "div.rn-row",
      {},
      this.useLink,
      this.clearLink,
      this.whyLink,
      ...howTo(about, control),
    );
    const body = problem
      ? [h("p.rn-problem", {}, `Can't be scored here: ${problem}`)]
      : [this.control.element, links, this.why];
    this.element = h("section.rn-editor", { role: "group", "aria-label": title }, head, ...body);
  }

  /** @returns {any} The entry with what the person did since. */
  now() {
    const { entry, draft } = this;
    if (!draft) return entry;
    const state =
      {
        cleared: entry.previous === null ? "unset" : "cleared",
        accepted: "set",
        invalid: "typing",
      }[draft.state] ?? draft.state;
    const value = draft.state === "accepted" ? entry.previous : (draft.value ?? null);
    return { ...entry, refusal: "", error: "", typed: null, ...draft, state, value };
  }

  // What is entered now, without an explanation, as a draft.
  bare() {
    const { state, value, typed } = this.now();
    return { state: state === "typing" ? "invalid" : state, value, typed };
  }

  /**
   * @param {any} entry As the kernel has it.
   * @param {any} draft What the person did since; null for nothing.
   * @param {boolean} isFresh Whether it is of another log than before.
   */
  show(entry, draft, isFresh) {
    this.entry = { ...NOTHING, ...entry };
    this.draft = draft;
    const { state, value, typed, explanation, previous, error, refusal } = this.now();
    const kind = refusal ? "refused" : state;
    const [glyph, words] = MARKS[kind];
    setText(this.mark, glyph);
    this.element.dataset.rnState = kind;
    const shown = state === "shown" ? previous : value;
    this.control.show({ value: shown ?? null, typed, isFresh, isOwn: state !== "shown" });
    setText(this.stateText, this.words(kind, words, shown, error || refusal));
    showInField(this.why, explanation, isFresh);
    this.why.hidden = !explanation && this.element.ownerDocument.activeElement !== this.why;
    this.whyLink.hidden = !this.why.hidden;
    this.useLink.hidden = state !== "shown";
    this.clearLink.hidden = state === "unset" || state === "cleared";
  }

  words(kind, words, value, reason) {
    const said = value === null || value === undefined ? "" : brief(this.control.say(value));
    if (kind === "set") return said;
    if (kind === "shown") return `${this.entry.source || words}: ${said}`;
    if (kind === "cleared") return "cleared: saving takes the score away";
    if (kind === "invalid") return reason;
    if (kind === "refused") return `${words}: ${reason}`;
    return words;
  }

  get isScored() {
    const { state } = this.now();
    return state === "set" || state === "shown";
  }

  accept() {
    if (this.now().state !== "shown") return false;
    this.enter({ state: "accepted", explanation: this.now().explanation });
    return true;
  }

  clear() {
    if (this.spec.problem || this.now().state === "unset") return false;
    this.enter({ state: "cleared", explanation: "" });
    return true;
  }

  explain() {
    if (this.spec.problem) return false;
    this.why.hidden = false;
    this.whyLink.hidden = true;
    this.why.focus();
    return true;
  }
}

function link(text, title, onclick) {
  const words = text.split(" ");
  const key = words.pop();
  return h(
    "button.rn-link",
    { type: "button", title, onclick },
    words.join(" "),
    h("kbd", { "aria-hidden": "true" }, key),
  );
}

function brief(text) {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

// What the evaluator says about itself, its choices and points.
function howTo(about, { options = [], names = [] }) {
  const lines = options.filter((one) => one.about).map((one) => `${one.label}: ${one.about}`);
  const points = names.map(([point, name]) => `${numberText(point)}: ${name}`);
  if (!about && !lines.length && !points.length) return [];
  const items = [...lines, ...points].map((line) => h("li", {}, line));
  const parts = [
    ...(about ? [h("p", {}, about)] : []),
    ...(items.length ? [h("ul", {}, ...items)] : []),
  ];
  return [h("details.rn-how", {}, h("summary", {}, "how to decide"), ...parts)];
}
