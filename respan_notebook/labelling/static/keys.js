// The keyboard and the focus: keys that never reach the notebook, and those that do.

const MOST_WAITING = 20; // Keys that are kept while the kernel works.

class Keys {
  /** @param {AnnotatorView} view */
  constructor(view) {
    this.view = view;
    this.waiting = []; // What was pressed while the kernel worked.
    this.isLeaving = false;
    const { root, signal } = view;
    const on = (target, name, handle, capture) =>
      target.addEventListener(name, handle, { capture, signal });
    on(window, "keydown", (event) => this.liftMark(event), true);
    on(root, "keydown", (event) => this.onKey(event), true);
    on(root, "focusin", (event) => this.onFocus(event), true);
    on(root, "focusout", () => this.onBlur(), true);
    on(root, "click", (event) => this.onClick(event), false);
  }

  // The keys that were pressed while the kernel worked, if what it shows is what was expected.
  replay(isExpected) {
    const { view } = this;
    if (!isExpected && this.waiting.length) {
      this.waiting = [];
      const { text, is_wrong: isWrong } = view.screen.message;
      const dropped = "What you pressed meanwhile was dropped: it was meant for another log.";
      view.showToast(isWrong ? `${text}\n${dropped}` : dropped, isWrong);
    }
    while (this.waiting.length && !view.pending) this.useKey(this.waiting.shift());
  }

  // JupyterLab looks for the mark from the focused element upwards, but many of its shortcuts are
  // for any focused element: so that one bears the mark itself.
  onFocus({ target }) {
    target.dataset.lmSuppressShortcuts = "true";
    const place = this.view.editors.findIndex((one) => one.element.contains(target));
    if (place >= 0 && place !== this.view.active) this.view.setActive(place);
  }

  // What had the focus may have been hidden; then the keys would go to the notebook.
  onBlur() {
    setTimeout(() => {
      if (this.isLeaving) this.isLeaving = false;
      else if (
        document.activeElement === document.body &&
        document.hasFocus() &&
        this.view.root.isConnected
      )
        this.view.rest();
    });
    for (const { why, whyLink } of this.view.editors)
      if (!why.hidden && !why.value)
        setTimeout(() => {
          if (document.activeElement === why || why.value) return;
          why.hidden = true;
          whyLink.hidden = false;
        });
  }

  // A button that keeps the focus would be pressed again by Enter.
  onClick(event) {
    if (event.detail === 0 || isTyping(event.target) || event.target.closest("select, a, summary"))
      return;
    if (!this.view.overlay.isOpen && this.view.root.isConnected)
      setTimeout(
        () =>
          this.view.root.contains(document.activeElement) &&
          !isTyping(document.activeElement) &&
          this.view.rest(),
      );
  }

  // Keys that are the notebook's reach it although the focus is here.
  liftMark(event) {
    if (!this.view.root.contains(event.target) || !isNotebooks(event)) return;
    const marked = [
      ...this.view.root.querySelectorAll("[data-lm-suppress-shortcuts]"),
      this.view.root,
    ];
    for (const one of marked) delete one.dataset.lmSuppressShortcuts;
    setTimeout(() => {
      for (const one of marked) one.dataset.lmSuppressShortcuts = "true";
    });
  }

  onKey(event) {
    if (event.isComposing || event.key === "Tab" || isNotebooks(event)) return;
    if (this.view.overlay.isOpen ? this.useOverlayKey(event) : this.isUsed(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  useOverlayKey(event) {
    const { key, target } = event;
    const { overlay } = this.view;
    if (overlay.kind === "lost") return false;
    if (overlay.kind === "finish" && /^[bus]$/i.test(key)) {
      overlay.close();
      return this.isUsed(event);
    }
    const isOnButton = target.closest("button") && (key === "Enter" || key === " ");
    if (isOnButton || key.startsWith("Arrow") || key.startsWith("Page")) return false;
    if (["Escape", "?", "Enter"].includes(key)) this.view.overlay.close();
    return true;
  }

  /** @returns {boolean} Whether the key was for the annotator, and not for what has the focus. */
  isUsed(event) {
    const { key, target } = event;
    if (target === this.view.goTo) return this.useGoTo(event);
    const typing = isTyping(target);
    if (key === "Escape") return this.escape(typing);
    if (key === "Enter") return this.enter(event, typing);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT")
      return false;
    if (key === " " || key.length > 1) {
      if (!key.startsWith("Arrow")) return false;
    } else if (event.repeat) return true;
    if (event.repeat && (key === "ArrowUp" || key === "ArrowDown")) return true;
    this.take(key);
    return true;
  }

  take(key) {
    if (!this.view.pending) this.useKey(key);
    else if (this.waiting.length < MOST_WAITING) this.waiting.push(key);
  }

  enter(event, typing) {
    const { target } = event;
    const isSure = event.ctrlKey || event.metaKey;
    const isNative =
      target.closest("button, a, summary, select") || target.classList.contains("rn-filter");
    if (!isSure && (isNative || (typing && target.tagName === "TEXTAREA"))) return false;
    if (!isSure && target.closest(".rn-tags") && target.value) return false;
    if (!event.repeat) this.take("Enter");
    return true;
  }

  escape(typing) {
    if (typing) {
      this.view.rest();
      return true;
    }
    if (this.view.root.matches(":popover-open")) {
      this.view.fill();
      return true;
    }
    this.isLeaving = true;
    const notebook = this.view.root.closest(".jp-Notebook");
    if (notebook instanceof HTMLElement) notebook.focus({ preventScroll: true });
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return true;
  }

  useGoTo(event) {
    const text = this.view.goTo.value.trim();
    if (event.key === "Enter" && !event.repeat && text && !this.view.pending) {
      this.view.goTo.value = "";
      this.view.act("go_to", text);
      return true;
    }
    if (event.key !== "Escape") return false;
    this.view.goTo.value = "";
    this.view.rest();
    return true;
  }

  /** @param {string} key Pressed while no text field has the focus. */
  useKey(key) {
    const editor = this.view.editors[this.view.active];
    const letter = key.toLowerCase();
    const moves = { Enter: "save", s: "skip", b: "back", u: "undo", U: "redo" };
    if (key === "ArrowUp" || key === "ArrowDown")
      this.view.setActive(this.view.active + (key === "ArrowUp" ? -1 : 1));
    else if (key === "ArrowLeft" || key === "ArrowRight") {
      if (!editor.control.step(key === "ArrowLeft" ? -1 : 1))
        this.view.hint(`${arrowName(key)} does nothing in ${editor.spec.title}.`);
    } else if (key === "?") this.view.overlay.showKeys();
    else if (this.view.answers.press(key)) return;
    else if (key !== "U" && editor.control.press(letter)) return;
    else if (moves[key] ?? moves[letter]) this.view.act(moves[key] ?? moves[letter]);
    else if (!this.useEditorKey(letter, editor))
      this.view.hint(`${key} does nothing in ${editor.spec.title}. ? shows all keys.`);
  }

  useEditorKey(letter, editor) {
    if (letter === "v") return editor.accept();
    if (letter === "x") return editor.clear();
    if (letter === "e") return editor.explain();
    return letter === "w" && this.write();
  }

  // The text field of the marked editor, else of the next one that has one.
  write() {
    const count = this.view.editors.length;
    const order = Array.from({ length: count }, (_, n) => (this.view.active + n) % count);
    const isText = (place) =>
      this.view.editors[place].control.field &&
      !["slider", "one", "many"].includes(this.view.setup.evaluators[place].control.kind);
    const own = this.view.editors[this.view.active].control.field ? this.view.active : undefined;
    const place = isText(this.view.active) ? this.view.active : (order.find(isText) ?? own);
    if (place === undefined) return false;
    this.view.setActive(place);
    this.view.editors[place].control.field.focus();
    return true;
  }
}

function arrowName(key) {
  return key === "ArrowLeft" ? "←" : "→";
}

// Shift+Enter runs the cell, and what is held with Ctrl, Cmd or Alt is a shortcut or a text command.
function isNotebooks(event) {
  const isHeld = event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "Enter") return event.shiftKey || event.altKey;
  if (!isHeld) return false;
  return !isTyping(event.target) || event.key.toLowerCase() === "s";
}
