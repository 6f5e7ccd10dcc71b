// The controls: one kind per type of score. Only an event of the person enters something; what is
// shown is shown as it is, and never answered with a value.

const MOST_SEGMENTS = 7; // Single choices that are laid out side by side.
const MOST_BOXES = 12; // Choices that are all in view.

/**
 * What a control is asked to show.
 * @typedef {{ value: any, typed: string | null, isFresh: boolean, isOwn: boolean }} View
 * `isOwn` tells a value that was entered from one that is only shown. `value` is null for nothing; `typed` is a text that is no score; `isFresh` when another log is
 * shown: then nothing of the old one stays.
 *
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {(view: View) => void} show
 * @property {(key: string) => boolean} press Enter the value of a key; false when it has none.
 * @property {(direction: number) => boolean} step One step up or down; false where there is none.
 * @property {() => void} flush Enter what was typed and not committed.
 * @property {() => void} drop End a drag that is under way.
 * @property {HTMLElement | null} field The text field to write into.
 * @property {boolean} isOneKey Whether one key makes a whole score.
 * @property {(value: any) => string} say A value in words.
 */

/** @param {any} spec @param {string} title @param {(draft: any) => void} enter @returns {Control} */
function makeControl(spec, title, enter) {
  const base = {
    press: () => false,
    step: () => false,
    flush() {},
    drop() {},
    field: null,
    isOneKey: false,
    say: (value) => (Array.isArray(value) ? value.join(", ") : String(value)),
  };
  const set = (value) => enter({ state: "set", value });
  return { ...base, ...CONTROLS[spec.kind](spec, title, set, enter) };
}

const CONTROLS = {
  points: pointsControl,
  slider: sliderControl,
  number: numberControl,
  yesno: yesNoControl,
  one: oneControl,
  many: manyControl,
  tags: tagsControl,
  line: (spec, title, set, enter) => textControl("input", title, enter),
  area: (spec, title, set, enter) => textControl("textarea", title, enter),
  json: jsonControl,
  none: () => ({ element: h("div"), show() {} }),
};

function keyMark(key) {
  return key ? [h("kbd", { "aria-hidden": "true" }, key)] : [];
}

// Next or previous of some values; from none the first or the last.
function stepped(values, value, direction) {
  const place = values.indexOf(value);
  if (place < 0) return values[direction > 0 ? 0 : values.length - 1];
  return values[Math.min(Math.max(place + direction, 0), values.length - 1)];
}

// -- numbers

function pointsControl({ options }, title, set) {
  let shown = null;
  const values = options.map((one) => one.value);
  const buttons = options.map(({ value, label, key, about }) =>
    h(
      "button.rn-point",
      { type: "button", role: "radio", title: about || null, onclick: () => set(value) },
      h("span", {}, label),
      ...keyMark(label === key || label.startsWith(`${key} `) ? "" : key),
    ),
  );
  return {
    element: h("div.rn-points", { role: "radiogroup", "aria-label": title }, ...buttons),
    isOneKey: true,
    show({ value }) {
      shown = value;
      buttons.forEach((button, place) =>
        setAttribute(button, "aria-checked", String(values[place] === value)),
      );
    },
    press(key) {
      const option = options.find((one) => one.key === key);
      if (option) set(option.value);
      return Boolean(option);
    },
    step(direction) {
      set(stepped(values, shown, direction));
      return true;
    },
    say: (value) => options.find((one) => one.value === value)?.label ?? numberText(value),
  };
}

function sliderControl({ low, high, step, keys, names }, title, set, enter) {
  let shown = null;
  let dragged = null; // The pointer that drags.
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const places = Math.max(
    decimals,
    (String(low).split(".")[1] ?? "").length,
    (String(step).split(".")[1] ?? "").length,
  );
  const onStep = (value) => {
    const point = low + Math.round((value - low) / step) * step;
    return Number(Math.min(Math.max(point, low), high).toFixed(Math.min(places, 15)));
  };
  const said = (value) => {
    const name = names.find(([point]) => point === value)?.[1];
    return name ? `${numberText(value)} ${name}` : numberText(value);
  };
  const range = h("input", {
    type: "range",
    min: low,
    max: high,
    step: "any",
    "aria-label": title,
    oninput: () => set(onStep(Number(range.value))),
  });
  const fill = h("span.rn-fill");
  const thumb = h("span.rn-thumb");
  const track = h("div.rn-track", {}, fill, ...ticksOf(low, high, step), thumb, range);
  const box = h("input.rn-exact", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-label": `${title}, exact number`,
    oninput: () => enter(numberDraft(box.value)),
  });
  const at = (event) => {
    const { left, width } = track.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    set(onStep(low + part * (high - low)));
  };
  track.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    range.focus({ preventScroll: true });
    dragged = event.pointerId;
    track.setPointerCapture(event.pointerId);
    at(event);
  });
  track.addEventListener("pointermove", (event) => event.pointerId === dragged && at(event));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    track.addEventListener(end, () => (dragged = null));
  const ends = h(
    "div.rn-ends",
    { "aria-hidden": "true" },
    h("span", {}, said(low)),
    h("span", {}, said(high)),
  );
  return {
    element: h("div.rn-slider", {}, h("div.rn-rail", {}, track, ends), box),
    field: box,
    isOneKey: true,
    show({ value, typed, isFresh }) {
      shown = value;
      const part = value === null ? 0 : Math.min(Math.max((value - low) / (high - low), 0), 1);
      track.classList.toggle("rn-empty", value === null);
      thumb.style.left = `${part * 100}%`;
      fill.style.width = `${part * 100}%`;
      range.value = value ?? low;
      setAttribute(range, "aria-valuetext", value === null ? "not scored" : said(value));
      showInField(box, typed ?? (value === null ? "" : numberText(value)), isFresh);
    },
    press(key) {
      const pair = keys.find(([one]) => one === key);
      if (pair) set(pair[1]);
      return Boolean(pair);
    },
    step(direction) {
      const from = shown ?? (direction > 0 ? low - step : high + step);
      set(onStep(from + direction * step));
      return true;
    },
    drop() {
      if (dragged !== null) track.releasePointerCapture(dragged);
      dragged = null;
    },
    say: said,
  };
}

function ticksOf(low, high, step) {
  const most = Math.floor((high - low) / step + 1e-9);
  const count = most <= 20 ? most : 10;
  return Array.from({ length: count + 1 }, (_, place) =>
    h("span.rn-tick", { style: `left: ${(place / count) * 100}%` }),
  );
}

function numberDraft(text) {
  return text.trim() ? { state: "invalid", typed: text } : { state: "cleared" };
}

function numberControl(spec, title, set, enter) {
  const box = h("input.rn-exact", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: "a number",
    "aria-label": title,
    oninput: () => enter(numberDraft(box.value)),
  });
  return {
    element: box,
    field: box,
    show({ value, typed, isFresh }) {
      showInField(box, typed ?? (value === null ? "" : numberText(value)), isFresh);
    },
    say: numberText,
  };
}

// What is being typed stays as it is typed.
function showInField(field, text, isFresh) {
  const isEdited = !isFresh && field.ownerDocument.activeElement === field;
  if (!isEdited && field.value !== text) field.value = text;
}

// -- choices

function choiceOf(kind, group, { label, key, about }, change) {
  const box = h("input", { type: kind, name: group, onchange: () => change(box.checked) });
  const text = h("span.rn-label", {}, label);
  const row = h("label.rn-choice", { title: about || null }, box, text, ...keyMark(key));
  return { box, element: row };
}

function yesNoControl(spec, title, set, enter) {
  const choices = [true, false].map((value) => {
    const option = { label: value ? "Yes" : "No", key: value ? "y" : "n" };
    return choiceOf("checkbox", null, option, (checked) =>
      checked ? set(value) : enter({ state: "cleared" }),
    );
  });
  return {
    element: h(
      "div.rn-choices",
      { role: "group", "aria-label": title },
      ...choices.map((one) => one.element),
    ),
    isOneKey: true,
    show({ value }) {
      choices[0].box.checked = value === true;
      choices[1].box.checked = value === false;
    },
    press(key) {
      if (key === "y" || key === "n") set(key === "y");
      return key === "y" || key === "n";
    },
    step(direction) {
      set(direction < 0);
      return true;
    },
    say: (value) => (value ? "Yes" : "No"),
  };
}

let groups = 0;

function oneControl({ options }, title, set) {
  let shown = null;
  groups += 1;
  const choices = options.map((one) =>
    choiceOf("radio", `rn-${groups}`, one, () => set(one.value)),
  );
  const list = listOf(options, choices, title, "radiogroup", MOST_SEGMENTS);
  return {
    element: list.element,
    field: list.filter,
    isOneKey: true,
    show({ value, isFresh }) {
      shown = value;
      choices.forEach(({ box }, place) => (box.checked = options[place].value === value));
      list.show((one) => one.value === value, isFresh);
    },
    press(key) {
      const option = options.find((one) => one.key === key);
      if (option) set(option.value);
      return Boolean(option);
    },
    step(direction) {
      set(
        stepped(
          options.map((one) => one.value),
          shown,
          direction,
        ),
      );
      return true;
    },
    say: (value) => labelOf(options, value),
  };
}

function labelOf(options, value) {
  return options.find((one) => one.value === value)?.label ?? String(value);
}

function manyControl({ options }, title, set, enter) {
  let picked = [];
  const toggle = (value) => {
    const isOn = picked.includes(value);
    picked = isOn ? picked.filter((one) => one !== value) : [...picked, value];
    const order = options.map((one) => one.value).filter((one) => picked.includes(one));
    if (order.length) set(order);
    else enter({ state: "cleared" });
  };
  const choices = options.map((one) => choiceOf("checkbox", null, one, () => toggle(one.value)));
  const list = listOf(options, choices, title, "group", MOST_BOXES);
  return {
    element: list.element,
    field: list.filter,
    show({ value, isFresh }) {
      picked = Array.isArray(value) ? value : [];
      choices.forEach(({ box }, place) => (box.checked = picked.includes(options[place].value)));
      list.show((one) => picked.includes(one.value), isFresh);
    },
    press(key) {
      const option = options.find((one) => one.key === key);
      if (option) toggle(option.value);
      return Boolean(option);
    },
    say: (value) => value.map((one) => labelOf(options, one)).join(", "),
  };
}

// Choices side by side, or, where they are many, a list to be filtered with the picked ones on top.
function listOf(options, choices, title, role, most) {
  const list = h(
    "div.rn-choices",
    { role, "aria-label": title },
    ...choices.map((one) => one.element),
  );
  if (options.length <= most) return { element: list, filter: null, show() {} };
  list.classList.add("rn-long");
  const narrow = () => {
    const wanted = filter.value.trim().toLowerCase();
    choices.forEach(({ element, box }, place) => {
      const isThere = options[place].label.toLowerCase().includes(wanted);
      element.hidden = !isThere && !box.checked;
    });
  };
  const filter = h("input.rn-filter", {
    type: "search",
    placeholder: `filter ${options.length} choices`,
    "aria-label": `Filter the choices of ${title}`,
    oninput: narrow,
  });
  return {
    element: h("div", {}, filter, list),
    filter,
    show(isPicked, isFresh) {
      if (isFresh) {
        filter.value = "";
        list.scrollTop = 0;
      }
      choices.forEach(
        ({ element }, place) => (element.style.order = isPicked(options[place]) ? -1 : 0),
      );
      narrow();
    },
  };
}

function tagsControl(spec, title, set, enter) {
  let tags = [];
  const put = (next) => {
    tags = next;
    draw();
    if (tags.length) set(tags);
    else enter({ state: "cleared" });
  };
  const flush = () => {
    const tag = input.value.trim();
    input.value = "";
    if (tag && !tags.includes(tag)) put([...tags, tag]);
  };
  const input = h("input", {
    type: "text",
    placeholder: "type, then Enter",
    "aria-label": title,
    autocomplete: "off",
    onkeydown(event) {
      if (event.isComposing) return;
      const isHeld = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
      if ((event.key === "Enter" && !isHeld && input.value.trim()) || event.key === ",") {
        event.preventDefault();
        event.stopPropagation();
        flush();
      } else if (event.key === "Backspace" && !input.value && tags.length) put(tags.slice(0, -1));
    },
    onblur: flush,
  });
  const chips = h("span.rn-chips");
  const draw = () =>
    chips.replaceChildren(
      ...tags.map((tag) =>
        h(
          "button.rn-chip",
          {
            type: "button",
            "aria-label": `Remove ${tag}`,
            onclick: () => put(tags.filter((one) => one !== tag)),
          },
          `${tag} ×`,
        ),
      ),
    );
  return {
    element: h("div.rn-tags", {}, chips, input),
    field: input,
    flush,
    show({ value, isFresh }) {
      if (isFresh) input.value = "";
      tags = Array.isArray(value) ? value : [];
      draw();
    },
  };
}

// -- text

function textDraft(text) {
  return text ? { state: "set", value: text } : { state: "cleared" };
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 260)}px`;
}

function textControl(tag, title, enter) {
  const isArea = tag === "textarea";
  const field = h(tag, {
    rows: isArea ? 2 : null,
    type: isArea ? null : "text",
    autocomplete: "off",
    "aria-label": title,
    oninput() {
      if (isArea) grow(field);
      enter(textDraft(field.value));
    },
  });
  return {
    element: field,
    field,
    show({ value, typed, isFresh }) {
      const before = field.value;
      showInField(field, typed ?? (typeof value === "string" ? value : ""), isFresh);
      if (isArea && (isFresh || field.value !== before)) grow(field);
    },
    say: (value) => counted(value.length, "character"),
  };
}

function jsonControl(spec, title, set, enter) {
  let isTree = false;
  let isOwn = false; // And no score of before that is only shown.
  const gutter = h("pre.rn-gutter", { "aria-hidden": "true" });
  const colours = h("pre.rn-colours", { "aria-hidden": "true" });
  const tree = h("div");
  const area = h("textarea", {
    rows: 3,
    spellcheck: "false",
    placeholder: '{"key": "value"}',
    "aria-label": title,
    oninput() {
      draw();
      enter(textDraft(area.value));
    },
    onscroll() {
      colours.scrollTop = area.scrollTop;
      colours.scrollLeft = area.scrollLeft;
      gutter.scrollTop = area.scrollTop;
    },
  });
  const draw = () => {
    const lines = area.value.split("\n").length;
    gutter.textContent = Array.from({ length: Math.min(lines, 5000) }, (_, n) => n + 1).join("\n");
    colours.replaceChildren(...colourJson(area.value), "\n");
    grow(area);
    tree.replaceChildren();
    if (isTree) tree.append(treeOf(area.value));
  };
  const format = () => {
    const text = formatJson(area.value);
    if (text === null || text === area.value) return;
    area.value = text;
    draw();
    if (isOwn) enter(textDraft(text));
  };
  const toggle = h(
    "button.rn-link",
    {
      type: "button",
      "aria-pressed": "false",
      onclick() {
        isTree = !isTree;
        setAttribute(toggle, "aria-pressed", String(isTree));
        draw();
      },
    },
    "Tree",
  );
  const buttons = h(
    "div.rn-row",
    {},
    h("button.rn-link", { type: "button", onclick: format }, "Format"),
    toggle,
  );
  return {
    element: h(
      "div.rn-json",
      {},
      h("div.rn-code", {}, gutter, h("div.rn-layers", {}, colours, area)),
      buttons,
      tree,
    ),
    field: area,
    show({ value, typed, isFresh, isOwn: isEntered }) {
      isOwn = isEntered;
      const before = area.value;
      const text =
        typeof value === "string" || value === null ? value : JSON.stringify(value, null, 2);
      showInField(area, typed ?? text ?? "", isFresh);
      if (isFresh || area.value !== before) draw();
    },
    say: (value) => `JSON, ${counted(String(value).length, "character")}`,
  };
}

function treeOf(text) {
  try {
    const drawn = treeOfJson(text);
    if (drawn) return drawn;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // Nested deeper than can be drawn.
  }
  return h(
    "p.rn-note",
    {},
    text.trim() ? "No tree: this is no JSON, or too long or deep." : "Nothing to draw yet.",
  );
}
