// The sidebar's list: rename, pin and delete a conversation; refresh after something changed.
import { promptText } from "./dialog.js";
import { fetchFragment, sendJson } from "./http.js";
import { gettext } from "./i18n.js";
import { openMenu } from "./menu.js";
import { toast } from "./toast.js";

const list = document.getElementById("history");
const menu = document.getElementById("conversation-menu");
let row = null;

const api = (id) => `/api/v1/conversations/${id}`;
const shownId = () => /^\/c\/([\w-]+)/.exec(location.pathname)?.[1];

/** Fetches the list again, keeping the search and the mark on the current conversation. */
export async function refreshHistory() {
  if (!list) return;
  const url = new URL(list.dataset.url, location.href);
  url.searchParams.set("q", document.getElementById("conversation-search").value);
  if (shownId()) url.searchParams.set("current", shownId());
  list.replaceChildren(await fetchFragment(url));
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function rename(id, title) {
  const name = await promptText({ title: gettext("Rename conversation"), value: title });
  if (!name || name === title) return;
  await sendJson("PATCH", api(id), { title: name });
  if (id === shownId()) document.title = `${name} · Parley`;
  await refreshHistory();
}

async function pin(id, isPinned) {
  await sendJson("PATCH", api(id), { is_pinned: isPinned });
  await refreshHistory();
}

const UNDO_MS = 12_000;

/** Away at once, without a question: the server keeps it long enough to take that back. */
async function remove(id) {
  const here = id === shownId();
  await sendJson("DELETE", api(id));
  if (here) {
    sessionStorage.setItem("deleted", id); // the toast is shown by the page that comes
    location.assign("/");
    return;
  }
  leave(list.querySelector(`[data-conversation="${id}"]`));
  offerUndo(id);
  await refreshHistory();
}

/** Takes a row out of the list; the keyboard goes on at its neighbour. */
function leave(gone) {
  const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
  gone?.remove();
  (next?.querySelector("a") ?? list).focus();
}

function offerUndo(id, { open = false } = {}) {
  const undo = async () => {
    await sendJson("POST", `${api(id)}/restore`);
    if (open) location.assign(`/c/${id}`);
    else await refreshHistory();
  };
  const label = gettext("Undo");
  toast(gettext("Conversation deleted."), { label, action: () => attempt(undo), life: UNDO_MS });
}

function chosen(run) {
  menu.hidePopover();
  const title = row.querySelector("[data-title]").textContent;
  attempt(() => run(row.dataset.conversation, title));
}

if (list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-conversation-menu]");
    if (!button) return;
    row = button.closest("[data-conversation]");
    menu.querySelector("[data-pin]").hidden = "pinned" in row.dataset;
    menu.querySelector("[data-unpin]").hidden = !("pinned" in row.dataset);
    openMenu(menu, button);
  });
  list.addEventListener("keydown", (event) => {
    const at = event.target.closest("a")?.closest("[data-conversation]");
    const run = { Delete: remove, F2: rename }[event.key];
    if (!at || !run || !at.querySelector("[data-conversation-menu]")) return;
    event.preventDefault();
    attempt(() => run(at.dataset.conversation, at.querySelector("[data-title]").textContent));
  });
  const act = (name, run) =>
    menu.querySelector(`[data-${name}]`).addEventListener("click", () => chosen(run));
  act("rename", rename);
  act("pin", (id) => pin(id, true));
  act("unpin", (id) => pin(id, false));
  act("delete", remove);
}

const deleted = sessionStorage.getItem("deleted");
if (deleted && list) {
  sessionStorage.removeItem("deleted");
  offerUndo(deleted, { open: true });
}
