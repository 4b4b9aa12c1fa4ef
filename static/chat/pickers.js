// Which agent answers and which collections are searched: menus with ticks.
import { fill, ngettext } from "../js/i18n.js";

const agentItems = [...document.querySelectorAll("[data-agent]")];
const collectionItems = [...document.querySelectorAll("[data-collection]")];
const ticked = (item) => item.getAttribute("aria-checked") === "true";
const tick = (item, on) => item.setAttribute("aria-checked", String(on));
const nameOf = (item) => item.querySelector("[data-name]").textContent;

/** Slug of the chosen agent, or undefined when there is no choice. */
export const chosenAgent = () => agentItems.find(ticked)?.dataset.agent;

const collectionPicker = document.getElementById("collection-picker");
// The conversation's collections are gone, or hidden from this person: until they choose others
// the page must not ask for everything on their behalf.
let keepsLimit = Boolean(collectionPicker?.dataset.limited) && !collectionItems.some(ticked);

/**
 * Ids of the ticked collections; empty means everything the person may see, and undefined what the
 * conversation is limited to.
 */
export const chosenCollections = () =>
  keepsLimit ? undefined : collectionItems.filter(ticked).map((item) => item.dataset.collection);

function showAgent() {
  const picker = document.getElementById("agent-picker");
  const chosen = agentItems.find(ticked);
  picker.hidden = !chosen;
  if (chosen) picker.querySelector("[data-label]").textContent = nameOf(chosen);
}

function showCollections() {
  const picker = collectionPicker;
  if (!picker) return;
  const chosen = collectionItems.filter(ticked);
  const label = picker.querySelector("[data-label]");
  picker.classList.toggle("on", chosen.length > 0 || keepsLimit);
  if (keepsLimit) label.textContent = picker.dataset.limited;
  else if (!chosen.length) label.textContent = label.dataset.all;
  else if (chosen.length === 1) label.textContent = nameOf(chosen[0]);
  else {
    const text = ngettext("%(n)s collection", "%(n)s collections", chosen.length);
    label.textContent = fill(text, { n: chosen.length });
  }
}

for (const item of agentItems) {
  item.addEventListener("click", () => {
    for (const other of agentItems) tick(other, other === item);
    showAgent();
    document.getElementById("agent-menu").hidePopover();
  });
}
for (const item of collectionItems) {
  item.addEventListener("click", () => {
    tick(item, !ticked(item));
    keepsLimit = false;
    showCollections();
  });
}
showAgent();
showCollections();
