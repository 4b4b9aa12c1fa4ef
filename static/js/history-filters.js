// What narrows the search of conversations: a form below the sidebar's field, fetched when it is
// first opened. The list follows every change; closing it lets everything through again.
import { fetchFragment } from "./http.js";
import { attempt, refreshHistory } from "./history.js";

const button = document.querySelector("[data-history-filters]");
const box = document.getElementById("history-filter-box");
const form = () => document.getElementById("history-filters");

/** The fields that narrow, by name; those that let everything through are left out. */
function chosenFilters() {
  if (!form()) return [];
  return [...new FormData(form())].filter(([, value]) => value);
}

async function open() {
  if (!form()) {
    box.replaceChildren(await fetchFragment(box.dataset.url));
    window.htmx.process(box);
  }
  box.hidden = false;
  button.setAttribute("aria-expanded", "true");
  form().querySelector("select").focus();
}

async function close() {
  const wasNarrowed = chosenFilters().length > 0;
  form()?.reset();
  box.hidden = true;
  button.setAttribute("aria-expanded", "false");
  mark();
  if (wasNarrowed) await refreshHistory();
}

/** Opens the form, or closes it. */
export const toggleFilters = () => (box.hidden ? open() : close());

/** The button says how many fields narrow. */
function mark() {
  const count = chosenFilters().length;
  button.classList.toggle("on", count > 0);
  button.querySelector("[data-filter-count]").textContent = count || "";
}

async function clear() {
  form()?.reset();
  mark();
  await refreshHistory();
  document.getElementById("conversation-search").focus();
}

box.addEventListener("change", mark);
box.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  attempt(close).then(() => button.focus());
});
document.getElementById("side").addEventListener("click", ({ target }) => {
  if (target.closest("[data-no-filters]")) attempt(clear);
});
