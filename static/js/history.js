// The sidebar's list as the server renders it: fetched anew after changes, for a search, the archive.
import { fetchFragment } from "./http.js";
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";

const OPEN = "open-folders";
const UNDO_MS = 12_000;
const GATHER_MS = 150;

export const list = document.getElementById("history");
export const shownId = () => /^\/c\/([\w-]+)/.exec(location.pathname)?.[1];
export const conversationApi = (id) => `/api/v1/conversations/${id}`;
export const rowOf = (id) => list.querySelector(`[data-conversation="${id}"]`);

let asked = 0;
let shown = 0; // the newest request whose list is on the page: an older one comes too late
let timer = 0;

/** Whether a person is writing in the list, dragging in it or choosing from a menu. */
export const isInUse = () =>
  list?.querySelector(".rename, [data-dragged]") || document.querySelector(".menu:popover-open");

/** Runs soon, once for many calls, but never under the hands of a person. */
export function whenFree(run) {
  clearTimeout(timer);
  timer = setTimeout(() => (isInUse() ? whenFree(run) : run()), GATHER_MS);
}

const refreshLater = () => whenFree(() => refreshHistory().catch(() => {}));

/**
 * Fetches the list again, keeping the search and the mark on the current conversation. Who began to
 * work in the list meanwhile keeps it: it is fetched once more when they are done.
 */
export async function refreshHistory() {
  if (!list) return;
  const turn = ++asked;
  const url = new URL(list.dataset.url, location.href);
  url.searchParams.set("q", document.getElementById("conversation-search").value);
  const filters = document.getElementById("history-filters");
  for (const [name, value] of filters ? new FormData(filters) : []) if (value) url.searchParams.set(name, value);
  if (shownId()) url.searchParams.set("current", shownId());
  if ("archive" in list.dataset) url.searchParams.set("archive", "");
  const fresh = await fetchFragment(url);
  if (turn < shown) return;
  if (isInUse()) return refreshLater();
  shown = turn;
  const back = focusIn();
  list.replaceChildren(fresh);
  openFolders();
  back();
}

/** What gives the focus back to the same place in a list that was made anew. */
function focusIn() {
  const row = document.activeElement?.closest("#history [data-conversation]");
  if (!row) return () => {};
  const part = document.activeElement.matches("a") ? "a" : "[data-conversation-menu]";
  return () => rowOf(row.dataset.conversation)?.querySelector(part)?.focus({ preventScroll: true });
}

/** Runs what a person asked for; what goes wrong is said in a toast. */
export async function attempt(action) {
  try {
    await action();
  } catch (error) {
    toast(error.message, { kind: "bad" });
    refreshHistory().catch(() => {});
  }
}

/** Says what was done, with a button that takes it back. */
export function offerUndo(text, undo) {
  toast(text, { label: gettext("Undo"), action: () => attempt(undo), life: UNDO_MS });
}

const folded = new Set(); // by the person, on this page
const opened = () => new Set(JSON.parse(localStorage.getItem(OPEN) ?? "[]"));

/** From now on the folder is shown open, or folded, whenever the list is made anew. */
export function keepFolder(id, isOpen) {
  folded[isOpen ? "delete" : "add"](id);
  const open = opened();
  if (isOpen) open.add(id);
  else open.delete(id);
  localStorage.setItem(OPEN, JSON.stringify([...open]));
}

/** What a search found does not take the field away in which a title is being written. */
function keepInUse(event) {
  if (!isInUse()) return;
  event.preventDefault();
  refreshLater();
}

/** Folders stay as the person left them; the page opens the one with the current conversation. */
function openFolders() {
  const open = opened();
  for (const folder of list.querySelectorAll("[data-folder]")) {
    const { folder: id } = folder.dataset;
    const isCurrent = folder.querySelector("[aria-current]") && !folded.has(id);
    folder.querySelector("details").open = open.has(id) || !!isCurrent;
  }
}

function remember(event) {
  if (!event.target.matches("[data-folder] > details")) return;
  keepFolder(event.target.parentElement.dataset.folder, event.target.open);
}

async function show({ archive }) {
  if (archive) list.dataset.archive = "";
  else delete list.dataset.archive;
  await refreshHistory();
  list.querySelector("[data-show-list], a")?.focus();
}

/** From the search into the list, and up and down in it. */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.matches(".rename")) return;
  const stops = [...list.querySelectorAll("a, summary")].filter((it) => it.checkVisibility());
  const next = stops.indexOf(document.activeElement) + step;
  if (next >= stops.length) return;
  event.preventDefault();
  (stops[next] ?? document.getElementById("conversation-search")).focus();
}

/** Escape among what was found ends the search, as it does in its field. */
function endSearch(event) {
  const search = document.getElementById("conversation-search");
  if (event.key !== "Escape" || !search.value) return;
  event.stopPropagation(); // nothing else is closed by it
  search.value = "";
  search.dispatchEvent(new Event("search"));
  search.focus();
}

if (list) {
  openFolders();
  list.addEventListener("keydown", walk);
  list.addEventListener("keydown", endSearch);
  document.getElementById("conversation-search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") walk(event);
  });
  list.addEventListener("toggle", remember, true);
  let back = () => {};
  list.addEventListener("htmx:beforeSwap", (event) => {
    keepInUse(event);
    back = focusIn();
  });
  list.addEventListener("htmx:afterSwap", () => {
    openFolders();
    back();
  });
  list.addEventListener("click", ({ target }) => {
    if (target.closest("[data-show-archive]")) attempt(() => show({ archive: true }));
    if (target.closest("[data-show-list]")) attempt(() => show({ archive: false }));
  });
}
