// Words selected in an answer can be asked about: a small button beside them quotes them into the
// message box. Tab reaches it from a selection made with the keyboard; in the document it stands right
// after the block they are in.
const LONGEST = 1000;
const GAP = 8;
const SETTLED_MS = 150;

const button = document.getElementById("ask-about");
const box = document.getElementById("message");
let words = "";
let timer = 0;

/** `quote(text)` puts a text above what is being written. */
export function offerAsking(quote) {
  document.addEventListener("selectionchange", () => {
    clearTimeout(timer);
    if (!document.activeElement?.isSameNode(button)) timer = setTimeout(offer, SETTLED_MS);
  });
  document.addEventListener("keydown", (event) => {
    if (!isShown()) return;
    const reaches = event.key === "Tab" && !event.shiftKey && !event.target.closest("button, textarea");
    if (event.key !== "Escape" && !reaches) return;
    event.preventDefault();
    if (reaches) button.focus();
    else hide();
  });
  document.getElementById("thread").addEventListener("scroll", hide, { passive: true });
  button.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the selection
  button.addEventListener("click", () => {
    hide();
    getSelection().removeAllRanges();
    quote(quoted(words, box.value));
  });
}

const isShown = () => button.matches(":popover-open");

function hide() {
  if (isShown()) button.hidePopover();
}

function offer() {
  const selection = getSelection();
  const range = selection.rangeCount && !selection.isCollapsed ? selection.getRangeAt(0) : null;
  const answer = range && markdownAround(range.commonAncestorContainer);
  words = answer ? selection.toString().trim() : "";
  if (!words) return hide();
  blockOf(range.endContainer, answer).after(button);
  button.showPopover();
  place(range.getBoundingClientRect());
}

function markdownAround(node) {
  const el = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  return el?.closest("[data-markdown]");
}

/** The child of the answer that holds the node. */
function blockOf(node, answer) {
  while (node.parentNode !== answer && node !== answer) node = node.parentNode;
  return node === answer ? answer.lastElementChild : node;
}

/** Above the words, or below where there is no room; never outside the window. */
function place(words) {
  const { width, height } = button.getBoundingClientRect();
  const left = Math.min(Math.max(words.left + words.width / 2 - width / 2, GAP), innerWidth - width - GAP);
  const above = words.top - height - GAP;
  const top = above > GAP ? above : Math.min(words.bottom + GAP, innerHeight - height - GAP);
  button.style.left = `${left}px`;
  button.style.top = `${top}px`;
}

/** The words as a Markdown quote, above what is there. */
function quoted(text, written) {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const lines = short.split("\n").filter((line) => line.trim());
  return [...lines.map((line) => `> ${line.trim()}`), "", written].join("\n");
}
