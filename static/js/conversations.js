// The sidebar's list: rename, pin and delete a conversation; refresh after something changed.
import { confirmAction, promptText } from "./dialog.js";
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

async function remove(id, title) {
  const sure = await confirmAction({
    title: gettext("Delete this conversation?"),
    text: title,
    yes: gettext("Delete"),
  });
  if (!sure) return;
  await sendJson("DELETE", api(id));
  if (id === shownId()) location.assign("/");
  else await refreshHistory();
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
  const act = (name, run) =>
    menu.querySelector(`[data-${name}]`).addEventListener("click", () => chosen(run));
  act("rename", rename);
  act("pin", (id) => pin(id, true));
  act("unpin", (id) => pin(id, false));
  act("delete", remove);
}
