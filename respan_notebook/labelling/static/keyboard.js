const TEXT_INPUTS = new Set(["text", "number", "search", "email", "url", "tel", "password"]);
const TURNS = { s: "skip", b: "back", u: "undo" };
// Parts of controls to which ipywidgets gives no name.
const NAMELESS = "[role=slider], [contenteditable], .jupyter-widget-tagsinput input";
const SLOW = 1000; // Milliseconds until a wait is explained.
const WAIT = "Waiting for the kernel… If it was restarted, run the cell again: all is kept.";

function isTyping(target) {
  if (target.isContentEditable || target.tagName === "TEXTAREA") return true;
  return target.tagName === "INPUT" && TEXT_INPUTS.has(target.type);
}

// A view is rendered before it is part of the page.
async function annotatorOf(el, signal) {
  while (!signal.aborted) {
    const root = el.isConnected && el.closest(".rn-annotator");
    if (root) return root;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
}

class KeyLayer {
  constructor(model, root, signal) {
    this.model = model;
    this.signal = signal;
    this.root = root;
    this.active = 0;
    this.waiting = null;
    this.held = false;
    this.controls = [];
    const ids = model.get("controls");
    Promise.all(ids.map((id) => model.widget_manager.get_model(id))).then((controls) => {
      this.controls = controls;
    });
    root.dataset.lmSuppressShortcuts = "true";
    root.tabIndex = 0;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Labelling: press ? for the keys");
    root.querySelector(".rn-status")?.setAttribute("aria-live", "polite");
    const on = (name, handle) =>
      root.addEventListener(name, (event) => handle.call(this, event), { capture: true, signal });
    on("keydown", this.onKey);
    on("click", this.onClick);
    on("focusin", this.onFocus);
    on("focusout", this.onBlur);
    on("beforeinput", (event) => this.waiting && event.preventDefault());
    this.watcher = new MutationObserver(() => this.onChange());
    this.watcher.observe(root.querySelector(".rn-status"), { childList: true, subtree: true });
    signal.addEventListener("abort", () => this.watcher.disconnect());
    this.mark(0);
    setTimeout(() => this.label(), 500);
  }

  editors() {
    return [...this.root.querySelectorAll(".rn-editor")];
  }

  turn() {
    return Number(this.root.querySelector("[data-rn-turn]")?.dataset.rnTurn ?? 0);
  }

  place() {
    return this.root.querySelector("[data-rn-turn] b")?.textContent;
  }

  mark(place) {
    const editors = this.editors();
    this.active = (place + editors.length) % Math.max(editors.length, 1);
    editors.forEach((editor, i) => {
      editor.classList.toggle("rn-active", i === this.active);
      // Of the other editors nobody wants to hear what the next log changes.
      const live = i === this.active ? "polite" : "off";
      editor.querySelector(".rn-state")?.setAttribute("aria-live", live);
    });
  }

  label() {
    for (const editor of this.editors()) {
      const name = editor.querySelector(".rn-title b")?.textContent ?? "";
      editor.setAttribute("role", "group");
      editor.setAttribute("aria-label", name);
      for (const part of editor.querySelectorAll(NAMELESS))
        part.setAttribute("aria-label", name);
    }
  }

  send(action, more = {}) {
    this.model.send({ do: action, editor: this.active, turn: this.turn(), ...more });
  }

  // Whether a control has changes that the kernel has not taken in yet.
  holdsBack() {
    return this.controls.some((one) => one._pending_msgs > 0 || one._msg_buffer != null);
  }

  async take(action) {
    if (this.waiting) return;
    const waiting = { turn: this.turn(), place: this.place() };
    this.waiting = waiting;
    this.root.dataset.rnBusy = "";
    setTimeout(() => {
      if (this.waiting === waiting) this.root.dataset.rnWait = WAIT;
    }, SLOW);
    while (this.holdsBack()) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      if (this.signal.aborted) return;
    }
    this.send(action, { turn: waiting.turn });
  }

  onChange() {
    const { waiting } = this;
    if (!waiting || this.turn() <= waiting.turn) return;
    this.waiting = null;
    delete this.root.dataset.rnBusy;
    delete this.root.dataset.rnWait;
    // On the next log, keys are keys again: they must not become the text of its score.
    if (this.place() !== waiting.place) {
      if (this.root.contains(document.activeElement)) this.rest();
      this.mark(0);
    }
  }

  rest() {
    this.root.focus({ preventScroll: true });
  }

  onFocus(event) {
    // JupyterLab looks for the mark from the focused element upwards, but many of its shortcuts
    // are for any focused element: so that one bears the mark itself.
    event.target.dataset.lmSuppressShortcuts = "true";
    const place = this.editors().indexOf(event.target.closest(".rn-editor"));
    if (place >= 0) this.mark(place);
    this.label();
  }

  // What had the focus may have been hidden; then the keys would go to the notebook.
  onBlur() {
    setTimeout(() => {
      if (document.activeElement === document.body && document.hasFocus()) this.rest();
    });
  }

  onClick(event) {
    const button = event.target.closest("button");
    if (button?.classList.contains("rn-act")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const action = [...button.classList].find((name) => name.startsWith("rn-do-"));
      this.take(action.slice("rn-do-".length));
    }
    // A button that keeps the focus would be pressed again by Enter.
    const byMouse = event.detail > 0;
    const text = isTyping(event.target) || event.target.closest("select, a, summary");
    if (byMouse && !text) setTimeout(() => this.rest());
  }

  onKey(event) {
    if (event.isComposing || event.key === "Tab") return;
    const used = this.waiting ? !event.ctrlKey || event.key === "Enter" : this.use(event);
    if (used) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  // Returns whether the key was for the annotator, and not for the control that has the focus.
  use(event) {
    const { key, target } = event;
    const typing = isTyping(target);
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (key === "Enter") return this.enter(event, typing);
    if (key === "Escape") return this.rest(), true;
    if (typing || held || target.tagName === "SELECT") return false;
    if (key.startsWith("Arrow")) return this.arrow(event);
    if (key === "?") return this.help();
    const letter = key.toLowerCase();
    if (this.model.get("hotkeys")[this.active]?.includes(letter))
      return this.send("press", { key: letter }), true;
    if (event.shiftKey) return false;
    if (letter in TURNS) return this.take(TURNS[letter]), true;
    if (letter === "v") return this.send("accept"), true;
    if (letter === "x") return this.send("clear"), true;
    if (letter === "w") return this.write(".rn-control textarea, .rn-control input");
    if (letter === "e") return this.write(".rn-why input");
    return false;
  }

  enter(event, typing) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey) {
      if (!event.repeat) this.take("save");
      return true;
    }
    if (event.shiftKey || event.altKey) return !typing;
    if (target.closest("button, a, summary, .rn-nav, .jupyter-widget-tagsinput")) return false;
    if (typing && target.tagName !== "INPUT") return false;
    if (!event.repeat) this.take("save");
    return true;
  }

  arrow({ key, target }) {
    if (target.closest("[role=slider], select, input")) return false;
    const by = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
    if (key === "ArrowUp" || key === "ArrowDown") this.mark(this.active + by);
    else this.send("step", { by });
    this.editors()[this.active]?.scrollIntoView({ block: "nearest" });
    return true;
  }

  help() {
    const list = this.root.querySelector(".rn-help details");
    if (list) list.open = !list.open;
    if (list?.open) list.scrollIntoView({ block: "nearest" });
    return true;
  }

  write(where) {
    this.editors()[this.active]?.querySelector(where)?.focus();
    return true;
  }
}

export default {
  render({ model, el }) {
    el.style.display = "none";
    const abort = new AbortController();
    annotatorOf(el, abort.signal).then((root) => {
      if (root && !abort.signal.aborted) new KeyLayer(model, root, abort.signal);
    });
    return () => abort.abort();
  },
};
