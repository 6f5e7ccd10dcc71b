// Lay out JSON text without changing the spelling of a number or losing a repeated name.

const LONGEST_JSON = 200_000; // Characters that are laid out, coloured or drawn as a tree.
const MOST_NODES = 500;
const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+|\s+/gs;

/** @param {string} text @returns {boolean} */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} text @returns {string | null} Indented, null for what is no JSON. */
function formatJson(text) {
  if (text.length > LONGEST_JSON || !isJson(text)) return null;
  let out = "";
  let depth = 0;
  const tokens = text.match(TOKEN).filter((token) => token.trim());
  const line = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, place) => {
    if (token === "}" || token === "]") {
      depth -= 1;
      out += "{[".includes(tokens[place - 1]) ? token : line() + token;
    } else if (token === "{" || token === "[") {
      depth += 1;
      out += token + ("}]".includes(tokens[place + 1]) ? "" : line());
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  });
  return out;
}

/** @param {string} text @returns {Node[]} The text with strings, names, numbers and words marked. */
function colourJson(text) {
  if (text.length > LONGEST_JSON) return [document.createTextNode(text)];
  const tokens = text.match(TOKEN) ?? [];
  return tokens.map((token, place) => {
    if (!token.trim() || /^[[\]{},:]$/.test(token)) return document.createTextNode(token);
    const next = tokens.slice(place + 1, place + 3).find((one) => one.trim());
    const isName = token.startsWith('"') && next === ":";
    const kind = isName ? "name" : token.startsWith('"') ? "string" : "word";
    return h(`span.rn-json-${kind}`, {}, token);
  });
}

/** @param {string} text @returns {HTMLElement | null} A tree that can be folded; null for no JSON. */
function treeOfJson(text) {
  if (text.length > LONGEST_JSON || !isJson(text)) return null;
  const tokens = text.match(TOKEN).filter((token) => token.trim());
  let place = 0;
  let nodes = 0;
  const read = (name) => {
    const token = tokens[place++];
    nodes += 1;
    if (token !== "{" && token !== "[") return h("div", {}, name, token);
    const end = token === "{" ? "}" : "]";
    const members = [];
    while (tokens[place] !== end) {
      if (tokens[place] === ",") place += 1;
      const label = token === "{" ? `${tokens[place]}: ` : `${members.length}: `;
      if (token === "{") place += 2;
      members.push(read(label));
    }
    place += 1;
    const shown = nodes > MOST_NODES ? [] : members;
    const size = counted(members.length, token === "{" ? "member" : "item");
    const head = h("summary", {}, `${name}${token} ${size} ${end}`);
    return h("details", { open: nodes < 40 }, head, ...shown);
  };
  return h("div.rn-tree", {}, read(""));
}
