// Build elements, and write numbers and times.

/**
 * Build an element.
 * @param {string} tag Name of the element, then its classes after dots.
 * @param {Record<string, any>} [attributes] `on...` are listeners; true, false and null set or omit.
 * @param {...(Node | string)} children
 * @returns {any}
 */
function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else setAttribute(element, key, value);
  }
  element.append(...children);
  return element;
}

/** @param {Element} element @param {string} name @param {any} value */
function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Set a text only when it differs, so that a live region says it once. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number} value @returns {string} The number without rounding noise of its own. */
function numberText(value) {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(0) : String(value);
}

/** @param {number} seconds */
function timeText(seconds) {
  if (seconds < 50) return "under a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `~${minutes} min` : `~${Math.round(minutes / 60)} h`;
}

/** @param {number} count @param {string} one @param {string} [many] */
function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

const TYPED = new Set(["text", "search", "number"]);

/** @param {any} target Tells whether keys become text there. */
function isTyping(target) {
  return target.tagName === "TEXTAREA" || (target.tagName === "INPUT" && TYPED.has(target.type));
}
