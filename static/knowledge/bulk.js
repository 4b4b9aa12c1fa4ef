// Several documents at once: which are chosen, and what is done with all of them. The rows come and
// go (filters, progress), so what is chosen is kept here and ticked again in what is drawn.
import { fill, gettext, language, ngettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const bar = document.getElementById("bulk");
const all = document.getElementById("tick-all");
const chosen = new Set();
const moving = document.getElementById("move-documents");
const confirming = document.getElementById("confirm-matching");
const filter = document.getElementById("filter");
const UNDO_MS = 12_000;
let matching = null; // all that match, of which not all are shown: by which filter, how many
let ordered = null; // what is done to them once it is confirmed

const ticks = () => [...document.querySelectorAll("[data-tick]")];

/** All that are shown are chosen, or one of them where the page is too narrow for that box; and
 *  there are more. */
const mayOffer = () =>
  (all.checked || (all.offsetParent === null && chosen.size > 0)) &&
  document.getElementById("more") !== null;

const wanted = () => new URLSearchParams(new FormData(filter)).toString();

const numbered = (count) => (count === null ? "" : count.toLocaleString(language));

function said() {
  if (!matching) {
    const text = ngettext("%(n)s document chosen", "%(n)s documents chosen", chosen.size);
    return fill(text, { n: chosen.size });
  }
  if (matching.count === null) return gettext("All that match are chosen");
  return fill(gettext("All %(n)s that match are chosen"), { n: numbered(matching.count) });
}

function draw() {
  const shown = ticks();
  for (const tick of shown) tick.checked = Boolean(matching) || chosen.has(tick.value);
  const ticked = shown.filter((tick) => tick.checked).length;
  all.checked = ticked > 0 && ticked === shown.length;
  all.indeterminate = ticked > 0 && ticked < shown.length;
  bar.hidden = chosen.size === 0 && !matching;
  bar.querySelector("[data-chosen]").textContent = said();
  const everything = bar.querySelector("[data-match-all]");
  if (matching || !mayOffer()) everything.hidden = true;
  for (const button of bar.querySelectorAll("[data-order]")) button.hidden = Boolean(matching);
}

/** The offer to choose all that match. */
async function offerAll() {
  const asked = wanted();
  if (!mayOffer()) return;
  const response = await fetch(`${bar.dataset.matching}?${asked}`);
  if (!response.ok || !mayOffer() || matching || asked !== wanted()) return;
  const { count } = await response.json();
  const everything = bar.querySelector("[data-match-all]");
  const text = gettext("Choose all %(n)s that match");
  everything.textContent =
    count === null ? gettext("Choose all that match") : fill(text, { n: numbered(count) });
  everything.dataset.count = count ?? "";
  everything.hidden = false;
}

function chooseAll(button) {
  matching = { filter: wanted(), count: button.dataset.count ? Number(button.dataset.count) : null };
  draw();
}

function choose(values, isChosen) {
  matching = null;
  for (const value of values) {
    if (isChosen) chosen.add(value);
    else chosen.delete(value);
  }
  draw();
}

/** What is not drawn any more, because of a filter or because it is gone, is not acted upon. */
function forget() {
  if (matching && matching.filter === wanted()) {
    draw();
    return;
  }
  const shown = new Set(ticks().map((tick) => tick.value));
  choose([...chosen].filter((value) => !shown.has(value)), false);
}

const post = (url, values) => window.htmx.ajax("POST", url, { source: bar, swap: "none", values });

/** Shows how far it is in place of what was there. */
const begin = (url, values) =>
  window.htmx.ajax("POST", url, { source: bar, target: "#matching", swap: "outerHTML", values });

function askFirst(action, target) {
  const label = bar.querySelector(`[data-bulk="${action}"], [data-bulk-${action}]`).textContent;
  ordered = { action, target };
  confirming.querySelector("[data-what]").textContent = label.trim();
  confirming.querySelector("[data-many]").textContent = said();
  const go = confirming.querySelector("[data-go]");
  go.textContent = label.trim().replace("…", "");
  go.className = action === "delete" ? "btn danger outline" : "btn primary";
  confirming.showModal();
}

function actOnAll() {
  const values = { ...Object.fromEntries(new URLSearchParams(matching.filter)), ...ordered };
  chosen.clear();
  matching = null;
  draw();
  return begin(bar.dataset.matching, values);
}

function act(action, target = "") {
  if (matching) return askFirst(action, target);
  const values = { action, document: [...chosen], target };
  chosen.clear();
  draw();
  return post(bar.dataset.url, values);
}

function order(name) {
  const values = { order: name, document: [...chosen] };
  chosen.clear();
  draw();
  return post(bar.dataset.orders, values);
}

/** Says what was done, and offers the request that takes it back. */
function offer(text, undo) {
  const action = () => (undo.is_long ? begin : post)(undo.url, undo.values);
  toast(text, undo ? { label: gettext("Undo"), action, life: UNDO_MS } : {});
}

/** The same for documents that were deleted. */
export function offerUndo(text, ids) {
  offer(text, { url: bar.dataset.url, values: { action: "restore", document: ids } });
}

if (bar) {
  document.addEventListener("change", ({ target }) => {
    if (target === all) choose(ticks().map((tick) => tick.value), all.checked);
    if (target.matches("[data-tick]")) choose([target.value], target.checked);
    if (target === all || target.matches("[data-tick]")) offerAll();
  });
  bar.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-bulk]");
    if (button) act(button.dataset.bulk);
    const ordered = target.closest("[data-order]");
    if (ordered) order(ordered.dataset.order);
    const everything = target.closest("[data-match-all]");
    if (everything) chooseAll(everything);
    if (target.closest("[data-bulk-clear]")) choose([...chosen], false);
    if (target.closest("[data-bulk-move]")) moving.showModal();
  });
  moving?.addEventListener("close", () => {
    if (moving.returnValue === "move") act("move", moving.querySelector("select").value);
    moving.returnValue = "";
  });
  confirming.addEventListener("close", () => {
    if (confirming.returnValue === "go" && matching) actOnAll();
    confirming.returnValue = "";
  });
  for (const type of ["htmx:afterSettle", "htmx:oobAfterSwap"]) {
    document.addEventListener(type, forget);
  }
  document.addEventListener("bulk-done", ({ detail }) => offer(detail.text, detail.undo));
}
