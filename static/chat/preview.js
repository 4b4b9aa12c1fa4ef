// What a citation points to, in a small card beside its chip: under a resting pointer or on focus.
// Escape puts it away; a tap opens the panel instead.
import { waysOf } from "./proof.js";
import { place } from "./steps.js";

const WAIT_MS = 350; // so that nothing flickers under a pointer on its way elsewhere
const GRACE_MS = 150; // to move from the chip onto the card
const LONGEST = 320; // characters of the quote
const GAP = 8;

const card = document.getElementById("cite-preview");
let chip = null;
let timer = 0;

/** @param {HTMLElement} list the messages; `answerOf(el)` gives the answer drawn in one of them */
export function previewCitations(list, answerOf) {
  const later = (el) => {
    if (el === chip) return clearTimeout(timer);
    clearTimeout(timer);
    timer = setTimeout(() => show(el, answerOf(el.closest(".answer"))), WAIT_MS);
  };
  list.addEventListener("pointerover", (event) => {
    const el = event.target.closest("a.cite");
    if (el && event.pointerType === "mouse") later(el);
  });
  list.addEventListener("pointerout", ({ target }) => target.closest("a.cite") && leave());
  list.addEventListener("focusin", ({ target }) => target.matches("a.cite:focus-visible") && later(target));
  list.addEventListener("focusout", ({ target }) => target.matches("a.cite") && hide());
  list.addEventListener("click", hide);
}

function show(el, answer) {
  const n = Number(el.textContent);
  const source = answer?.sources.find((entry) => entry.n === n) ?? answer?.passages.find((entry) => entry.n === n);
  const gone = document.getElementById("gone-template").content;
  const part = (name) => card.querySelector(`[data-${name}]`);
  hide();
  if (!source && !answer?.gone?.has(String(n))) return;
  part("n").textContent = n;
  part("title").textContent = source?.title ?? gone.querySelector("[data-title]").textContent;
  part("where").textContent = source ? place(source) : gone.querySelector("[data-why]").textContent;
  part("how").textContent = waysOf(answer.citations, n);
  const quotes = answer.citations.filter((citation) => citation.n === n).map(({ quote }) => quote.trim());
  part("quote").textContent = shortened(quotes.join(" … "));
  part("quote").hidden = !quotes.length;
  chip = el;
  chip.setAttribute("aria-describedby", card.id);
  card.showPopover();
  beside(el);
}

/** Below the chip where there is room, else above it. */
function beside(el) {
  const at = el.getClientRects()[0] ?? el.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const isBelow = at.bottom + GAP + height < innerHeight || at.top < height + GAP;
  card.style.left = `${Math.max(GAP, Math.min(at.left - 16, innerWidth - width - GAP))}px`;
  card.style.top = `${isBelow ? at.bottom + GAP : at.top - GAP - height}px`;
}

function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST).trimEnd()}…` : text;
}

function leave() {
  clearTimeout(timer);
  timer = setTimeout(hide, GRACE_MS);
}

function hide() {
  clearTimeout(timer);
  chip?.removeAttribute("aria-describedby");
  chip = null;
  if (card.matches(":popover-open")) card.hidePopover();
}

card.addEventListener("pointerenter", () => clearTimeout(timer));
card.addEventListener("pointerleave", leave);
addEventListener("scroll", hide, { capture: true, passive: true });
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !chip) return;
    event.preventDefault(); // it ends the card alone, not the answer
    hide();
  },
  { capture: true },
);
