// Marks the sentences of an answer that no source stands behind; the reader may switch that
// off here or in the settings.
import { sendJson } from "../js/http.js";
import { fill, gettext, ngettext } from "../js/i18n.js";
import { reduce } from "../js/text-match.js";
import { toast } from "../js/toast.js";

const SKIPPED = ".cite, pre, code, .tools, button";

/** Called once, when the answer has been drawn to its end. */
export function showSupport({ el, unsupported }) {
  const note = el.querySelector("[data-support]");
  if (!note) return;
  const marked = unsupported.length ? mark(el.querySelector("[data-markdown]"), unsupported) : 0;
  note.hidden = !marked;
  if (!marked) return;
  const text = ngettext(
    "%(n)s sentence has no support: no passage that it cites, or that was found, says the same.",
    "%(n)s sentences have no support: no passage that they cite, or that was found, says the same.",
    marked,
  );
  note.querySelector("[data-support-text]").textContent = fill(text, { n: marked });
  showChoice();
}

/** Wraps what of each sentence is found; how many were. */
function mark(root, sentences) {
  const { letters, at } = lettersOf(root);
  const found = [];
  let from = 0;
  for (const sentence of sentences) {
    const needle = reduce(withoutAddresses(sentence)).letters;
    const start = needle ? letters.indexOf(needle, from) : -1;
    if (start < 0) continue;
    from = start + needle.length;
    found.push([start, from]);
  }
  for (const [start, end] of found.reverse()) wrap(at, start, end); // the last first: nodes are cut
  return found.length;
}

const withoutAddresses = (text) => text.replace(/\]\([^)]*\)/g, "]").replace(/`[^`]*`/g, "");

function lettersOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const letters = [];
  const at = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(SKIPPED)) continue;
    const reduced = reduce(node.data);
    letters.push(reduced.letters);
    for (const index of reduced.at) at.push([node, index]);
  }
  return { letters: letters.join(""), at };
}

/** From the last letter to the first, a text node at a time; a full stop behind it belongs to it. */
function wrap(at, start, end) {
  for (let to = end - 1; to >= start; ) {
    const [node, last] = at[to];
    let from = to;
    while (from > start && at[from - 1][0] === node) from -= 1;
    const range = document.createRange();
    range.setStart(node, at[from][1]);
    const stop = to === end - 1 ? /^[\p{P}]*/u.exec(node.data.slice(last + 1))[0].length : 0;
    range.setEnd(node, Math.min(last + 1 + stop, node.length));
    const span = document.createElement("span");
    span.className = "unsupported";
    range.surroundContents(span);
    to = from - 1;
  }
}

const isOff = () => document.body.dataset.unsupported === "off";

function showChoice() {
  for (const button of document.querySelectorAll("[data-support-marks]")) {
    button.textContent = isOff() ? gettext("Show them") : gettext("Hide the marks");
  }
}

function setMarks(shown) {
  if (shown) delete document.body.dataset.unsupported;
  else document.body.dataset.unsupported = "off";
  showChoice();
}

document.addEventListener("click", async ({ target }) => {
  if (!target.closest?.("[data-support-marks]")) return;
  const shown = isOff();
  setMarks(shown);
  try {
    await sendJson("PATCH", "/api/v1/me", { marks_unsupported: shown });
  } catch (error) {
    setMarks(!shown);
    toast(error.message, { kind: "bad" });
  }
});
