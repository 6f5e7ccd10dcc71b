// The annotator: it draws the kernel's screen, and sends what the person wants. Each intent carries
// all that it is about (log, turn, entries), and the kernel's answer decides.

const DRAFT_PAUSE = 250; // Milliseconds from the last keystroke to the draft.
const PATIENCE = 1500; // Milliseconds until a wait is explained.
const BRIEF = 4000; // Milliseconds that a message stays which asks for nothing.

const GLYPHS = { r: "✗", d: "✎", p: "◐", s: "●", k: "◦", l: "○" };
const WORDS = {
  r: "refused",
  d: "draft",
  p: "partly scored",
  s: "scored",
  k: "skipped",
  l: "left",
};

class AnnotatorView {
  constructor(model, el, signal) {
    this.model = model;
    this.setup = model.get("setup");
    this.screen = null;
    this.entries = new Entries();
    this.line = new Line(model, () => this.overlay.showLost());
    this.pending = null; // The action that the kernel has not answered yet.
    this.active = 0;
    this.signal = signal;
    this.build(el);
    this.listen();
  }

  // -- the parts of the screen

  build(el) {
    const button = (text, key, title, act) =>
      h("button.rn-button", { type: "button", title, onclick: act }, text, ...keyMark(key));
    this.editors = this.setup.evaluators.map(
      (spec, place) => new EditorView(spec, (draft) => this.onEntry(place, draft)),
    );
    this.bar = h("div.rn-bar", { "aria-hidden": "true" });
    this.counts = h("span.rn-counts");
    this.badge = h("button.rn-badge", {
      type: "button",
      "aria-haspopup": "dialog",
      onclick: () => this.overlay.showSync(),
    });
    this.full = h(
      "button.rn-icon",
      {
        type: "button",
        title: "Fill the window",
        "aria-label": "Fill the window",
        onclick: () => this.fill(),
      },
      "⤢",
    );
    const help = h(
      "button.rn-icon",
      {
        type: "button",
        title: "Keys (?)",
        "aria-label": "Keys",
        onclick: () => this.overlay.showKeys(),
      },
      "?",
    );
    this.marks = h("div.rn-marks");
    this.place = h("span.rn-place");
    this.filter = h(
      "select",
      {
        "aria-label": "Which logs to go through",
        onchange: () => this.act("show_only", this.filter.value),
      },
      ...[
        ["all", "All"],
        ["unscored", "Unscored"],
        ["refused", "Refused"],
      ].map(([value, text]) => h("option", { value }, text)),
    );
    this.goTo = h("input.rn-goto", {
      type: "text",
      placeholder: "go to…",
      title: "A number or the id of a log, then Enter",
      "aria-label": "Go to a log: its number, or its id",
      autocomplete: "off",
    });
    this.log = new LogView();
    this.scored = h("div.rn-scored");
    this.answers = new AnswersView(
      this.editors[0],
      () => {
        if (this.setup.advance && this.isCausePicked()) this.advance(0);
        else this.setActive(1);
      },
      (text) => this.hint(text),
    );
    this.list = h(
      "div.rn-editors",
      {},
      this.answers.element,
      this.scored,
      ...this.editors.map((one) => one.element),
    );
    this.undo = button("Undo", "u", "Undo the last save or skip (u)", () => this.act("undo"));
    this.back = button("‹ Back", "b", "The log before (b)", () => this.act("back"));
    this.skip = button("Skip", "s", "Skip this log (s)", () => this.act("skip"));
    this.save = button("Save & next", "⏎", "Save, and go to the next log (Enter)", () =>
      this.act("save"),
    );
    this.save.classList.add("rn-primary");
    const actions = h("div.rn-actions", {}, this.undo, this.back, this.skip, this.save);
    const side = h("div.rn-side", {}, this.list, actions);
    this.toast = h("div.rn-toast", { hidden: true });
    this.live = h("div.rn-hidden", { role: "status", "aria-live": "polite" });
    this.overlay = new Overlay(this);
    const reading = h("div.rn-reading", {}, this.log.element, this.toast);
    this.main = h("div.rn-main", {}, reading, side);
    this.root = h(
      "div.rn-annotator",
      {
        tabindex: "0",
        role: "group",
        "aria-label": "Labelling: press ? for the keys",
        "data-lm-suppress-shortcuts": "true",
      },
      h("div.rn-top", {}, this.bar, this.counts, this.badge, help, this.full),
      h("div.rn-strip", {}, this.marks, this.place, this.filter, this.goTo),
      this.main,
      this.overlay.element,
      this.live,
    );
    el.classList.add("rn-host");
    el.append(this.root);
  }

  listen() {
    const { root, signal, model } = this;
    this.keys = new Keys(this);
    const changed = () => this.draw();
    const comm = () => this.probe();
    const parts = "change:screen change:status change:answer";
    model.on(parts, changed);
    model.on("comm_live_update", comm);
    signal.addEventListener("abort", () => {
      model.off(parts, changed);
      model.off("comm_live_update", comm);
      clearTimeout(this.draftTimer);
      clearTimeout(this.patience);
      observer.disconnect();
    });
    const observer = new ResizeObserver(() => this.fit());
    observer.observe(document.documentElement);
    requestAnimationFrame(() => {
      const scroller = scrollerOf(root);
      if (scroller) observer.observe(scroller);
      this.fit();
      this.log.openAtStart();
    });
  }

  // At most 78% of what can be seen, and 420 px where there is room.
  fit() {
    if (this.root.matches(":popover-open")) return;
    const isColab = location.hostname.endsWith("googleusercontent.com"); // Its frame sizes itself.
    const room = isColab ? 720 : (scrollerOf(this.root)?.clientHeight ?? window.innerHeight);
    const height = Math.min(Math.max(room * 0.78, Math.min(420, room - 16)), room - 8);
    this.root.style.height = `${Math.max(Math.floor(height), 200)}px`;
    this.drawMarks();
  }

  // In the top layer, so that nothing of the notebook's cuts it.
  fill() {
    const { root } = this;
    const isFull = root.matches(":popover-open");
    if (isFull) {
      root.hidePopover();
      root.removeAttribute("popover");
    } else {
      root.style.height = "";
      root.popover = "manual";
      root.showPopover();
    }
    const said = isFull ? "Fill the window" : "Back into the notebook";
    this.full.title = said;
    setAttribute(this.full, "aria-label", said);
    this.fit();
    this.log.openAtStart();
    this.rest();
  }

  // -- what the kernel says

  draw() {
    const before = this.screen;
    const [status, answer] = ["status", "answer"].map((name) => this.model.get(name));
    const screen = { ...this.model.get("screen"), ...status, answer };
    const isFresh = !before || screen.turn !== before.turn;
    const isOurs = this.line.note(screen.answer);
    if (isOurs) this.entries.answer(this.line.answered);
    if (isFresh && before) this.leave(before);
    this.screen = screen;
    this.root.dataset.rnTurn = screen.turn;
    const isAnswer = this.pending !== null && this.line.answered >= this.pending.number;
    const { pending } = this;
    if (isAnswer) this.settle();
    if (!this.pending) this.log.show(this.model.get(screen.slot).html);
    this.editors.forEach((editor, place) =>
      editor.show(screen.entries[place], this.entries.drafts.get(place) ?? null, isFresh),
    );
    if (!this.pending) {
      this.answers.show(this.model.get(screen.slot).answers ?? []);
      this.answers.mark();
    }
    this.drawState();
    this.drawWait();
    const isNews =
      JSON.stringify(screen.message) !== JSON.stringify(before?.message) ||
      (isOurs && isFresh) ||
      isAnswer;
    if (isNews) this.drawMessage();
    if (isFresh && before) {
      if (this.root.contains(document.activeElement) && isTyping(document.activeElement))
        this.rest();
      this.list.scrollTop = 0;
      this.setActive(0);
    } else if (!before) this.setActive(0);
    if (!isAnswer) return;
    this.root.scrollIntoView({ block: "nearest" });
    this.keys.replay(pending.expected === screen.position);
  }

  // Another log is shown. What was entered for the old one, and never sent, is kept as its draft.
  leave(before) {
    if (this.entries.drafts.size && !this.pending) this.send("draft", "", before);
    this.entries = new Entries();
    clearTimeout(this.draftTimer);
    for (const editor of this.editors) editor.control.drop();
  }

  settle() {
    this.pending = null;
    this.list.inert = false;
    this.root.removeAttribute("aria-busy");
  }

  drawState() {
    const { screen } = this;
    const { counts, sync } = screen;
    const kinds = ["scored", "partly", "skipped", "left"];
    this.bar.replaceChildren(
      ...kinds.map((kind) => h(`span.rn-${kind}`, { style: `flex-grow: ${counts[kind]}` })),
    );
    const told = kinds.filter((kind) => counts[kind] || kind === "scored" || kind === "left");
    const words = told.map((kind) => `${counts[kind].toLocaleString("en-US")} ${kind}`);
    if (counts.refused) words.push(`${counts.refused} refused`);
    if (screen.seconds_left) words.push(timeText(screen.seconds_left));
    setText(this.counts, words.join(" · "));
    setText(this.badge, badgeText(counts, sync, screen.foreign.length));
    this.badge.dataset.rnSync = counts.refused ? "refused" : sync.state;
    this.badge.title = sync.reason || "How far your labels are";
    const [number, size] = screen.place;
    const where = screen.shown === "all" ? "" : ` · ${number || "none"} of ${size} ${screen.shown}`;
    const id = screen.log_id === null ? "no log id" : screen.log_id;
    setText(this.place, `log ${screen.position + 1} of ${screen.size}${where} · ${id}`);
    this.place.title = this.place.textContent;
    this.filter.value = screen.shown;
    const { required } = this.setup;
    const scored = required.filter((place) => this.editors[place].isScored).length;
    const said = screen.problem
      ? `This row can't be scored: ${screen.problem}`
      : `${scored} of ${required.length} scored`;
    setText(this.scored, said);
    this.scored.classList.toggle("rn-wrong", Boolean(screen.problem));
    this.drawMarks();
  }

  drawMarks() {
    const { screen } = this;
    if (!screen) return;
    const room = Math.max(Math.floor(this.marks.clientWidth / 13), 5);
    const at = screen.position - screen.first_mark;
    const start = Math.max(Math.min(at - Math.floor(room / 2), screen.marks.length - room), 0);
    const row = (place) => screen.first_mark + place;
    const marks = Array.from(screen.marks.slice(start, start + room), (mark, n) => {
      const place = start + n;
      return h(
        `button.rn-dot.rn-dot-${mark}`,
        {
          type: "button",
          tabindex: "-1",
          title: `log ${row(place) + 1}: ${WORDS[mark]}`,
          "aria-label": `log ${row(place) + 1}: ${WORDS[mark]}`,
          "aria-current": place === at ? "true" : null,
          onclick: () => this.act("show_row", String(row(place))),
        },
        GLYPHS[mark],
      );
    });
    this.marks.replaceChildren(...marks);
  }

  drawMessage() {
    const { message } = this.screen;
    this.showToast(message.text, message.is_wrong, message.offer);
    if (message.evaluator) this.setActive(Number(message.evaluator)); // The one at fault.
    if (message.is_end) this.overlay.showFinish();
  }

  showToast(text, isWrong, offer = "") {
    clearTimeout(this.toastTimer);
    this.toast.hidden = !text;
    this.toast.classList.toggle("rn-wrong", isWrong);
    const offers = { undo: ["Undo", "u"], redo: ["Redo", "Shift+u"] }[offer];
    const buttons = offers
      ? [
          h(
            "button.rn-link",
            { type: "button", onclick: () => this.act(offer) },
            offers[0],
            ...keyMark(offers[1]),
          ),
        ]
      : [];
    this.toast.replaceChildren(h("span", {}, text), ...buttons);
    setText(this.live, text);
    if (!isWrong) this.toastTimer = setTimeout(() => (this.toast.hidden = true), BRIEF);
  }

  hint(text) {
    this.showToast(text, false);
  }

  // Ask whether the kernel still listens; its answer closes the overlay.
  probe() {
    this.overlay.showLost();
    this.send("look");
  }

  // -- what the person does

  onEntry(place, draft) {
    if (this.pending) return;
    const editor = this.editors[place];
    this.entries.drafts.set(place, draft);
    editor.show(editor.entry, draft, false);
    this.answers.mark();
    this.drawState();
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.sendDraft(), DRAFT_PAUSE);
    if (
      this.setup.advance &&
      editor.control.isOneKey &&
      draft.state === "set" &&
      !isTyping(document.activeElement) &&
      (!this.setup.answers || (place > 0 && this.isCausePicked()))
    )
      this.advance(place);
  }

  // Whether the cause was picked for the value that is entered now; "other" is to be explained.
  isCausePicked() {
    const { state, value } = this.editors[1].now();
    return state === "set" && value !== "other";
  }

  sendDraft() {
    if (!this.entries.drafts.size || this.pending || this.isTooLong()) return;
    this.send("draft");
  }

  // Mark the next editor without a score; save when all that is required has one.
  advance(place) {
    const { required } = this.setup;
    if (required.every((one) => this.editors[one].isScored)) {
      this.act("save");
      return;
    }
    const count = this.editors.length;
    const order = Array.from({ length: count }, (_, n) => (place + 1 + n) % count);
    this.setActive(order.find((one) => required.includes(one) && !this.editors[one].isScored));
  }

  isTooLong() {
    const place = this.entries.tooLong();
    if (place === undefined) return false;
    const { title } = this.setup.evaluators[place];
    this.showToast(
      `${title} is too long to be sent: at most 4 million characters in all. Nothing was saved; shorten it.`,
      true,
    );
    this.setActive(place);
    return true;
  }

  send(what, argument = "", screen = this.screen) {
    const number = this.line.last + 1;
    const entries = what === "look" ? {} : this.entries.send(number);
    this.line.send({ do: what, turn: screen.turn, log_id: screen.log_id, entries, argument });
    this.drawWait();
    return number;
  }

  /** Send an action that goes to another log; nothing else is done until it is answered. */
  act(what, argument = "") {
    if (this.pending) return;
    for (const { control } of this.editors) {
      control.flush();
      control.drop();
    }
    clearTimeout(this.draftTimer);
    if (this.isTooLong()) return;
    const target = this.targetOf(what);
    const expected = target?.[0] ?? this.screen.position; // Else keys are meant for this log.
    this.pending = { what, number: this.send(what, argument), expected };
    if (this.root.contains(document.activeElement)) this.rest();
    this.list.inert = true;
    setAttribute(this.root, "aria-busy", true);
    if (!target) return;
    const { html, answers } = this.model.get(target[1]);
    this.log.show(html);
    this.answers.show(answers ?? []);
  }

  // The log that an action most likely leads to, if the browser has it: [position, slot].
  targetOf(what) {
    const { near, position } = this.screen;
    if (what === "back") return near.find(([one]) => one < position);
    const isSavable =
      this.editors.some((one) => one.isScored) &&
      !this.editors.some((one) => one.now().state === "invalid");
    if (what === "skip" || (what === "save" && isSavable))
      return near.find(([one]) => one > position);
    return undefined;
  }

  // Say why nothing happens, when the kernel has not answered for a while.
  drawWait() {
    if (this.line.isWaiting) {
      this.patience ||= setTimeout(() => this.showWait(), PATIENCE);
      return;
    }
    clearTimeout(this.patience);
    this.patience = 0;
    if (this.overlay.kind === "lost") this.overlay.close();
    if (this.root.classList.contains("rn-waiting")) this.showToast("", false);
    this.root.classList.remove("rn-waiting");
  }

  showWait() {
    this.root.classList.add("rn-waiting");
    const why = "it is busy with another cell, or the line is down";
    this.showToast(
      `Waiting for the kernel: ${why}. What you entered stays here, and is taken when it answers.`,
      true,
    );
  }

  setActive(place) {
    const count = this.editors.length;
    this.active = (place + count) % count;
    this.editors.forEach(({ element, stateText }, one) => {
      element.classList.toggle("rn-active", one === this.active);
      // Of the other editors nobody wants to hear what the next log changes.
      setAttribute(stateText, "aria-live", one === this.active ? "polite" : "off");
    });
    this.editors[this.active].element.scrollIntoView({ block: "nearest" });
  }

  rest() {
    this.root.focus({ preventScroll: true });
  }
}

// The ancestor that scrolls; null when that is the window. Those that are as high as what is in
// them scroll never, unless the notebook was told to scroll this output.
function scrollerOf(element) {
  let found = null;
  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
    const { overflowY } = getComputedStyle(one);
    if (overflowY !== "auto" && overflowY !== "scroll") continue;
    if (one.closest(".jp-mod-outputsScrolled")) return one;
    if (one.clientHeight > (found?.clientHeight ?? 100)) found = one;
  }
  return found;
}
