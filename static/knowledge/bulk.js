// Several documents at once: which are chosen, and what is done with all of them. The rows come and
// go (filters, progress), so what is chosen is kept here and ticked again in what is drawn.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const bar = document.getElementById("bulk");
const all = document.getElementById("tick-all");
const chosen = new Set();
const moving = document.getElementById("move-documents");
const UNDO_MS = 12_000;

const ticks = () => [...document.querySelectorAll("[data-tick]")];

function draw() {
  const shown = ticks();
  for (const tick of shown) tick.checked = chosen.has(tick.value);
  const ticked = shown.filter((tick) => tick.checked).length;
  all.checked = ticked > 0 && ticked === shown.length;
  all.indeterminate = ticked > 0 && ticked < shown.length;
  bar.hidden = chosen.size === 0;
  const text = ngettext("%(n)s document chosen", "%(n)s documents chosen", chosen.size);
  bar.querySelector("[data-chosen]").textContent = fill(text, { n: chosen.size });
}

function choose(values, isChosen) {
  for (const value of values) {
    if (isChosen) chosen.add(value);
    else chosen.delete(value);
  }
  draw();
}

/** What is not drawn any more, because of a filter or because it is gone, is not acted upon. */
function forget() {
  const shown = new Set(ticks().map((tick) => tick.value));
  choose([...chosen].filter((value) => !shown.has(value)), false);
}

const post = (url, values) => window.htmx.ajax("POST", url, { source: bar, swap: "none", values });

function act(action, target = "") {
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
  const action = () => post(undo.url, undo.values);
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
  });
  bar.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-bulk]");
    if (button) act(button.dataset.bulk);
    const ordered = target.closest("[data-order]");
    if (ordered) order(ordered.dataset.order);
    if (target.closest("[data-bulk-clear]")) choose([...chosen], false);
    if (target.closest("[data-bulk-move]")) moving.showModal();
  });
  moving?.addEventListener("close", () => {
    if (moving.returnValue === "move") act("move", moving.querySelector("select").value);
    moving.returnValue = "";
  });
  for (const type of ["htmx:afterSettle", "htmx:oobAfterSwap"]) {
    document.addEventListener(type, forget);
  }
  document.addEventListener("bulk-done", ({ detail }) => offer(detail.text, detail.undo));
}
