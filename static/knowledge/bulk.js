// Several documents at once: which are chosen, and what is done with all of them. The rows come and
// go (filters, progress), so what is chosen is kept here and ticked again in what is drawn.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const bar = document.getElementById("bulk");
const all = document.getElementById("tick-all");
const chosen = new Set();
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

const post = (values) => window.htmx.ajax("POST", bar.dataset.url, { source: bar, swap: "none", values });

function act(action) {
  const values = { action, document: [...chosen] };
  chosen.clear();
  draw();
  return post(values);
}

/** Says what was done; what was deleted can be taken back. */
export function offerUndo(text, ids) {
  const action = () => post({ action: "restore", document: ids });
  toast(text, ids.length ? { label: gettext("Undo"), action, life: UNDO_MS } : {});
}

if (bar) {
  document.addEventListener("change", ({ target }) => {
    if (target === all) choose(ticks().map((tick) => tick.value), all.checked);
    if (target.matches("[data-tick]")) choose([target.value], target.checked);
  });
  bar.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-bulk]");
    if (button) act(button.dataset.bulk);
    if (target.closest("[data-bulk-clear]")) choose([...chosen], false);
  });
  for (const type of ["htmx:afterSettle", "htmx:oobAfterSwap"]) {
    document.addEventListener(type, forget);
  }
  document.addEventListener("bulk-done", ({ detail }) => offerUndo(detail.text, detail.undo));
}
