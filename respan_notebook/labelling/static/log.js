// The pane of the log: it opens where reading begins.

let lastInstructions = ""; // The system prompt that was seen last.

class LogView {
  constructor() {
    this.element = h("div.rn-pane", { tabindex: "-1", role: "region", "aria-label": "Log" });
    this.shown = "";
  }

  /** @param {string} html Rendered and made harmless by the kernel. */
  show(html) {
    if (this.shown === html) return;
    this.shown = html;
    this.element.innerHTML = html;
    this.openAtStart();
  }

  // Fold what doesn't fit, and scroll to the last question, or to the answer if that is too long.
  openAtStart() {
    const pane = this.element;
    const fits = () => pane.scrollHeight <= pane.clientHeight + 1;
    const earlier = pane.querySelector(".rn-earlier");
    const instructions = pane.querySelector(".rn-instructions");
    const said = instructions?.textContent ?? "";
    if (earlier) {
      earlier.open = true;
      earlier.open = fits();
    }
    if (instructions && said !== lastInstructions) {
      instructions.open = true;
      instructions.open = fits();
    }
    if (said) lastInstructions = said;
    pane.scrollTop = 0;
    const answer = pane.querySelector(".rn-answer");
    if (!answer || fits()) return;
    const question = answer.previousElementSibling;
    const isShort = question && question.offsetHeight < pane.clientHeight * 0.35;
    const start = isShort ? question : answer;
    pane.scrollTop += start.getBoundingClientRect().top - pane.getBoundingClientRect().top - 8;
  }
}
