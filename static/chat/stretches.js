// A long conversation comes in stretches: the end of it, or what is around a message that was
// found. The rest is fetched when the reader comes near it, asks for it, or prints.
import { shownId } from "../js/history.js";
import { fetchFragment } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { list } from "./thread.js";

const NEAR = "900px";
const MANY = 500; // at once, when all of it is wanted
const SIDES = {
  earlier: { edge: () => list.firstElementChild, query: "before" },
  later: { edge: () => list.lastElementChild, query: "after" },
};
const scroller = document.getElementById("thread");
const buttons = { earlier: null, later: null };
const loading = { earlier: null, later: null };
let near = null;
let page = { draw() {}, drawRest() {} };

const has = (side) => SIDES[side].edge()?.dataset[side] !== undefined;

/** Whether the end of the conversation is somewhere below what is on the page. */
export const isEndMissing = () => has("later");
const isWhole = () => !has("earlier") && !has("later");

/** @param {{draw: (place?: Element) => void, drawRest: () => void}} hooks draw what came, in time or now */
export function loadStretches(hooks) {
  page = hooks;
  near = new IntersectionObserver(arrive, { root: scroller, rootMargin: `${NEAR} 0px` });
  for (const side of Object.keys(SIDES)) {
    buttons[side] = document.getElementById(side);
    buttons[side].addEventListener("click", () => load(side, { focuses: true }));
    near.observe(buttons[side]);
  }
  new MutationObserver(showButtons).observe(list, { childList: true });
  showButtons();
  addEventListener("beforeprint", page.drawRest);
  document.addEventListener("keydown", watchKeys);
}

function showButtons() {
  for (const [side, button] of Object.entries(buttons)) button.hidden = !has(side);
}

function arrive(entries) {
  for (const { target, isIntersecting } of entries) if (isIntersecting) load(target.id);
}

/** Fetches the next stretch on a side; `focuses` the message it begins with, for the keyboard. */
function load(side, { limit, focuses = false } = {}) {
  if (!has(side)) return Promise.resolve();
  loading[side] ??= fetchNext(side, limit, focuses)
    .catch((error) => toast(error.message, { kind: "bad" }))
    .finally(() => (loading[side] = null));
  return loading[side];
}

async function fetchNext(side, limit, focuses) {
  const edge = SIDES[side].edge();
  const query = new URLSearchParams({ [SIDES[side].query]: edge.dataset.message });
  if (limit) query.set("limit", limit);
  const fresh = await fetchFragment(`/c/${shownId()}/thread?${query}`);
  if (!edge.isConnected || SIDES[side].edge() !== edge) return; // another path is shown by now
  delete edge.dataset[side];
  const next = side === "earlier" ? fresh.lastElementChild : fresh.firstElementChild;
  if (side === "earlier") keepInPlace(edge, () => list.prepend(fresh));
  else list.append(fresh);
  page.draw(edge);
  showButtons();
  lookAgain(side);
  if (focuses) focusOn(next);
}

/** Being near is told once: who scrolls on before the next frame would never be served again. */
function lookAgain(side) {
  near.unobserve(buttons[side]);
  near.observe(buttons[side]);
}

/** What the reader looks at stays where it is, whatever the browser would do about that itself. */
function keepInPlace(el, change) {
  const before = el.getBoundingClientRect().top;
  scroller.style.overflowAnchor = "none";
  change();
  scroller.scrollTop += el.getBoundingClientRect().top - before;
  requestAnimationFrame(() => (scroller.style.overflowAnchor = ""));
}

export function focusOn(message) {
  if (!message) return;
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
}

/** The whole conversation on the page, drawn; false when a part did not come (a toast said why). */
export async function loadAll() {
  for (const side of Object.keys(SIDES)) {
    for (let edge = null; has(side) && SIDES[side].edge() !== edge; ) {
      edge = SIDES[side].edge();
      await load(side, { limit: MANY });
    }
  }
  page.drawRest();
  return isWhole();
}

/** Prints all of the conversation, not only what has been read; rather nothing than a part. */
export async function printAll() {
  if (await loadAll()) print();
}

/** The browser's own search and printing know only what is on the page. */
function watchKeys(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const key = event.key.toLowerCase();
  if (key === "f") {
    page.drawRest();
    if (!isWhole()) offerAll();
  } else if (key === "p" && !isWhole()) {
    event.preventDefault();
    printAll();
  }
}

function offerAll() {
  toast(gettext("Only the messages loaded so far are searched by the browser."), {
    label: gettext("Load all"),
    action: loadAll,
  });
}
