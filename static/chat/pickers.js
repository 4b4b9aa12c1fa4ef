// Which agent answers and which collections are searched: menus with ticks, what was used lately
// first, and what is chosen as chips that can be taken away.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { icon } from "../js/icon.js";
import { recentFirst, remember } from "../js/recent.js";

const agentItems = inOrder("agent", document.querySelectorAll("[data-agent]"));
const collectionItems = inOrder("collection", document.querySelectorAll("[data-collection]"));
const chips = document.getElementById("chosen");
const ticked = (item) => item.getAttribute("aria-checked") === "true";
const tick = (item, on) => item.setAttribute("aria-checked", String(on));
const nameOf = (item) => item.querySelector("[data-name]").textContent;
const told = (items, kind) => items.map((item) => ({
  id: item.dataset[kind],
  name: nameOf(item),
  detail: item.querySelector("small")?.textContent ?? "",
  face: item.querySelector(".face"),
}));

let once = null; // the agent of the next question alone

const collectionPicker = document.getElementById("collection-picker");
// The conversation's collections are gone, or hidden from this person: until they choose others
// the page must not ask for everything on their behalf.
let keepsLimit = Boolean(collectionPicker?.dataset.limited) && !collectionItems.some(ticked);

/** Slug of the agent for the next question, or undefined when there is no choice. */
export const chosenAgent = () => (once ?? agentItems.find(ticked))?.dataset.agent;

/**
 * Ids of the ticked collections; empty means everything the person may see, and undefined what the
 * conversation is limited to.
 */
export const chosenCollections = () =>
  keepsLimit ? undefined : collectionItems.filter(ticked).map((item) => item.dataset.collection);

export const agents = () => told(agentItems, "agent");
export const collections = () => told(collectionItems.filter((item) => !ticked(item)), "collection");

/** This agent answers the next question; the one in the picker those after it. */
export function askOnce(slug) {
  once = agentItems.find((item) => item.dataset.agent === slug) ?? null;
  remember("agent", slug);
  showChips();
}

/** The question was sent: the next one is for the agent in the picker again. */
export function endOnce() {
  once = null;
  showChips();
}

/** Later questions go to this agent. */
export function pickAgent(slug) {
  if (!agentItems.some((item) => item.dataset.agent === slug)) return;
  for (const item of agentItems) tick(item, item.dataset.agent === slug);
  showAgent();
}

export function addCollection(id) {
  const item = collectionItems.find((one) => one.dataset.collection === id);
  if (item && !ticked(item)) toggleCollection(item);
}

function inOrder(kind, items) {
  const sorted = recentFirst(kind, items, (item) => item.dataset[kind]);
  sorted[0]?.parentElement.prepend(...sorted);
  return sorted;
}

function toggleCollection(item) {
  tick(item, !ticked(item));
  if (ticked(item)) remember("collection", item.dataset.collection);
  keepsLimit = false;
  showCollections();
  showChips();
}

function showAgent() {
  const picker = document.getElementById("agent-picker");
  const chosen = agentItems.find(ticked);
  picker.hidden = !chosen;
  if (chosen) picker.querySelector("[data-label]").textContent = nameOf(chosen);
  showStarters(chosen?.dataset.agent);
}

/** Those of the agent, else those that rest on the person's documents. */
function showStarters(slug) {
  const lists = [...document.querySelectorAll("[data-starters-of]")];
  const own = lists.find((list) => list.dataset.startersOf === slug);
  for (const list of lists) list.hidden = list !== (own ?? lists.find((one) => !one.dataset.startersOf));
}

function showCollections() {
  const picker = collectionPicker;
  if (!picker) return;
  const { length } = collectionItems.filter(ticked);
  const label = picker.querySelector("[data-label]");
  picker.classList.toggle("on", length > 0 || keepsLimit);
  if (keepsLimit) label.textContent = picker.dataset.limited;
  else if (!length) label.textContent = label.dataset.all;
  else {
    const text = ngettext("%(n)s collection", "%(n)s collections", length);
    label.textContent = fill(text, { n: length });
  }
}

/** The agent of this question and the collections, each with a button that takes it away. */
function showChips() {
  if (!chips) return;
  const shown = collectionItems.filter(ticked).map((item) => {
    return chip("library", nameOf(item), () => toggleCollection(item));
  });
  if (once) shown.unshift(chip("sparkles", nameOf(once), endOnce));
  chips.replaceChildren(...shown);
  chips.hidden = shown.length === 0;
}

function chip(sign, name, remove) {
  const item = document.createElement("li");
  const text = document.createElement("span");
  const button = document.createElement("button");
  item.className = "chip on";
  text.className = "clip";
  text.textContent = name;
  button.type = "button";
  button.append(icon("x"));
  button.setAttribute("aria-label", fill(gettext("Take away %(name)s"), { name }));
  button.addEventListener("click", () => {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    const place = [...chips.children].indexOf(next);
    remove();
    (chips.children[Math.max(0, place - 1)]?.querySelector("button") ?? document.getElementById("message")).focus();
  });
  item.append(icon(sign), text, button);
  return item;
}

for (const item of agentItems) {
  item.addEventListener("click", () => {
    for (const other of agentItems) tick(other, other === item);
    remember("agent", item.dataset.agent);
    endOnce();
    showAgent();
    document.getElementById("agent-menu").hidePopover();
  });
}
for (const item of collectionItems) item.addEventListener("click", () => toggleCollection(item));
showAgent();
showCollections();
showChips();
