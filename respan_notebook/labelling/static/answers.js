// The answers that others gave, of which one is taken for the score of the first editor.

const MOST_KEYS = 9;

class AnswersView {
  /**
   * @param {EditorView} editor
   * @param {() => void} goOn Called when an answer was taken.
   * @param {(text: string) => void} hint Says why one can't be taken.
   */
  constructor(editor, goOn, hint) {
    this.editor = editor;
    this.goOn = goOn;
    this.hint = hint;
    this.answers = [];
    this.cards = [];
    this.element = h("div.rn-answers", { role: "group", "aria-label": "Answers to choose from" });
    this.element.hidden = true;
  }

  /** @param {any[]} answers Of the log on screen, as `Adjudicator` sends them. */
  show(answers) {
    if (answers !== this.answers) {
      this.answers = answers;
      this.cards = answers.map((one, place) => this.card(one, place));
      this.element.replaceChildren(...this.cards);
      this.element.hidden = !answers.length;
    }
  }

  card({ value, text, who, reasons }, place) {
    const said = text ? "" : this.editor.control.say(value);
    const key = place < MOST_KEYS ? String(place + 1) : "";
    const take = h(
      "button.rn-button",
      { type: "button", title: "Settle with this answer", onclick: () => this.take(place) },
      ...keyMark(key),
      said || `answer ${place + 1}`,
    );
    const head = h("div.rn-row", {}, take, h("span.rn-who", {}, who));
    const body = text ? [h("div.rn-given", { tabindex: "0" }, text)] : [];
    const why = reasons.map((one) => h("p.rn-reason", {}, `“${one}”`));
    return h("div.rn-answered", {}, head, ...body, ...why);
  }

  // Which of them is entered.
  mark() {
    if (!this.answers.length) return;
    const { state, value, previous } = this.editor.now();
    const entered = JSON.stringify(state === "shown" ? previous : value);
    this.cards.forEach((card, place) => {
      const isTaken = JSON.stringify(this.answers[place].value) === entered;
      setAttribute(card.querySelector("button"), "aria-pressed", isTaken);
      card.classList.toggle("rn-taken", isTaken);
    });
  }

  /** @param {string} key @returns {boolean} Whether it takes an answer. */
  press(key) {
    const place = "123456789".indexOf(key);
    if (place < 0 || place >= this.answers.length) return false;
    this.take(place);
    return true;
  }

  take(place) {
    const { explanation } = this.editor.now();
    const { value } = this.answers[place];
    if (value === null) {
      this.hint("This answer is too long to be taken by a key; enter it from Python.");
      return;
    }
    this.editor.enter({ state: "set", value, typed: null, explanation });
    this.goOn();
  }
}
