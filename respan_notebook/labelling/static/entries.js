// What was entered and not answered yet, and the line to the kernel.

const MOST_SENT = 4_000_000; // Characters; a server of notebooks cuts the line at 10 MB.

/** Keep what the person entered until the kernel has answered. */
class Entries {
  constructor() {
    this.drafts = new Map(); // Place of the editor -> draft.
    this.sent = new Map(); // Number of an intent -> the drafts that it carried.
  }

  /** @param {number} number Of the intent that carries them. */
  send(number) {
    this.sent.set(number, new Map(this.drafts));
    return Object.fromEntries(this.drafts);
  }

  /** Drop what the kernel has, but nothing that was entered after it was sent. */
  answer(number) {
    for (const [one, drafts] of this.sent) {
      if (one > number) continue;
      this.sent.delete(one);
      for (const [place, draft] of drafts)
        if (this.drafts.get(place) === draft) this.drafts.delete(place);
    }
  }

  /** @returns {number | undefined} The place of an entry that is too long to be sent. */
  tooLong() {
    let size = 0;
    for (const [place, draft] of this.drafts) {
      size += JSON.stringify(draft).length;
      if (size > MOST_SENT) return place;
    }
    return undefined;
  }
}

let views = 0;

/** Send intents of one view, and know which of them are answered. */
class Line {
  constructor(model, lost) {
    views += 1;
    this.name = `${Date.now().toString(36)}.${views}`;
    this.model = model;
    this.lost = lost;
    this.last = 0;
    this.answered = 0;
  }

  send(intent) {
    this.last += 1;
    try {
      this.model.send({ id: `${this.name}:${this.last}`, ...intent });
    } catch {
      this.lost();
    }
    return this.last;
  }

  /** @param {string} answer @returns {boolean} Whether it answers an intent of this view. */
  note(answer) {
    const [name, number] = (answer ?? "").split(":");
    if (name !== this.name) return false;
    this.answered = Math.max(this.answered, Number(number));
    return true;
  }

  get isWaiting() {
    return this.answered < this.last;
  }
}
