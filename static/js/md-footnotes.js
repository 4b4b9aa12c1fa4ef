// Footnotes for markdown-it: "a claim[^1]" and "[^1]: where it comes from", the latter a block of
// its own that may hold several paragraphs, indented.
//
// Whether text is a reference is decided by the text alone, never by what was defined: a
// half-received definition is not remembered anywhere. Only when an answer has ended are the notes
// gathered below it and numbered, and references to nothing become text again.
import { fill, gettext } from "./i18n.js";

const LABEL = String.raw`\[\^([\p{L}\p{N}_.-]{1,40})\]`;
const REFERENCE = new RegExp(String.raw`${LABEL}(?!\()`, "uy");
const DEFINITION = new RegExp(String.raw`^${LABEL}:`, "u");
const INDENT = 4;

export function footnotes(md) {
  const esc = md.utils.escapeHtml;
  const alt = ["paragraph", "blockquote", "list"];
  md.block.ruler.before("heading", "footnote_text", definition, { alt });
  md.inline.ruler.before("link", "footnote", reference);
  md.renderer.rules.footnote = (tokens, i) => {
    const label = esc(tokens[i].content);
    return `<a class="footnote" href="#footnote" data-note="${label}">${label}</a>`;
  };
  md.renderer.rules.footnote_text_open = (tokens, i) =>
    `<div class="footnote-text" data-note="${esc(tokens[i].info)}">`;
  md.renderer.rules.footnote_text_close = () => "</div>\n";
}

function reference(state, silent) {
  if (state.linkLevel > 0) return false;
  REFERENCE.lastIndex = state.pos;
  const match = REFERENCE.exec(state.src);
  if (!match || REFERENCE.lastIndex > state.posMax) return false;
  if (!silent) state.push("footnote", "a", 0).content = match[1];
  state.pos += match[0].length;
  return true;
}

/** The text after the colon and the indented lines below it, as blocks of their own. */
function definition(state, start, end, silent) {
  const from = state.bMarks[start] + state.tShift[start];
  const match = DEFINITION.exec(state.src.slice(from, state.eMarks[start]));
  if (!match || state.sCount[start] - state.blkIndent >= INDENT) return false;
  if (silent) return true;
  const opened = state.push("footnote_text_open", "div", 1);
  opened.info = match[1];
  opened.map = [start, start];
  readAfter(state, start, from + match[0].length, () => {
    state.md.block.tokenize(state, start, end, true);
  });
  opened.map[1] = state.line;
  state.push("footnote_text_close", "div", -1);
  return true;
}

/** Runs `read` as if the line began at `at` and everything below were indented. */
function readAfter(state, line, at, read) {
  const kept = [state.bMarks[line], state.tShift[line], state.sCount[line], state.parentType];
  const rest = state.src.slice(at, state.eMarks[line]);
  const spaces = rest.length - rest.trimStart().length;
  state.bMarks[line] = at;
  state.tShift[line] = spaces;
  state.blkIndent += INDENT;
  state.sCount[line] = state.blkIndent;
  state.parentType = "footnote";
  read();
  state.blkIndent -= INDENT;
  [state.bMarks[line], state.tShift[line], state.sCount[line], state.parentType] = kept;
}

/** Gathers the notes of a finished answer below it, in the order in which they are referred to. */
export function gatherFootnotes(root) {
  const notes = new Map();
  const texts = [...root.querySelectorAll(".footnote-text")];
  for (const text of texts) {
    if (!notes.has(text.dataset.note)) notes.set(text.dataset.note, text);
  }
  const order = new Map();
  for (const link of root.querySelectorAll("a.footnote")) {
    const text = notes.get(link.dataset.note);
    if (text) number(link, text, order);
    else forget(link);
  }
  if (!texts.length) return;
  const list = document.createElement("ol");
  list.className = "footnotes";
  for (const text of new Set([...order.keys(), ...texts])) list.append(item(text, order.has(text)));
  root.append(list);
}

function number(link, text, order) {
  if (!order.has(text)) order.set(text, order.size + 1);
  link.textContent = order.get(text);
  link.ariaLabel = fill(gettext("Footnote %(n)s"), { n: order.get(text) });
}

function forget(link) {
  const parent = link.parentNode;
  link.replaceWith(`[^${link.dataset.note}]`);
  parent.normalize();
}

function item(text, isReferredTo) {
  const li = document.createElement("li");
  li.dataset.note = text.dataset.note;
  li.append(...text.childNodes);
  text.remove();
  if (isReferredTo) {
    const back = document.createElement("a");
    back.className = "footnote-back";
    back.href = "#back";
    back.textContent = "↩";
    back.ariaLabel = gettext("Back to the text");
    (li.lastElementChild?.matches("p") ? li.lastElementChild : li).append(" ", back);
  }
  return li;
}
