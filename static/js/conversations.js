// What a person does to a conversation in the sidebar: rename, pin, move, archive, delete.
import { chooseFolder } from "./folders.js";
import { attempt, conversationApi, list, offerUndo, refreshHistory, rowOf, shownId } from "./history.js";
import { promptText } from "./dialog.js";
import { sendJson } from "./http.js";
import { gettext } from "./i18n.js";
import { openMenu } from "./menu.js";
import { bind } from "./shortcuts.js";

const menu = document.getElementById("conversation-menu");
let row = null;

const titleOf = (id) => rowOf(id)?.querySelector("[data-title]");

async function change(id, changes) {
  await sendJson("PATCH", conversationApi(id), changes);
  await refreshHistory();
}

async function renameInDialog(id) {
  const name = await promptText({ title: gettext("Rename"), value: titleOf(id).textContent });
  if (name) await saveTitle(id, name);
}

/** The title becomes a field in its place; Enter or leaving it saves, Escape does not. */
function rename(id) {
  const link = rowOf(id).querySelector("a");
  if (!link.checkVisibility({ visibilityProperty: true })) return renameInDialog(id);
  const title = titleOf(id).textContent;
  const input = document.createElement("input");
  Object.assign(input, { className: "input rename", value: title, maxLength: 200 });
  input.setAttribute("aria-label", gettext("Title of the conversation"));
  link.hidden = true;
  link.before(input);
  input.select();
  const settle = (name) => {
    if (!input.isConnected || link.hidden === false) return;
    link.hidden = false;
    const hadFocus = input === document.activeElement;
    input.remove();
    if (hadFocus) link.focus();
    if (name && name !== title) attempt(() => saveTitle(id, name));
  };
  input.addEventListener("blur", () => settle(input.value.trim()));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") settle(input.value.trim());
    if (event.key === "Escape") settle("");
    event.stopPropagation();
  });
}

async function saveTitle(id, name) {
  titleOf(id).textContent = name;
  await change(id, { title: name });
  if (id !== shownId()) return;
  document.title = `${name} · Parley`;
  document.getElementById("conversation-title").textContent = name;
}

async function archive(id) {
  leave(rowOf(id));
  await change(id, { is_archived: true });
  const undo = () => change(id, { is_archived: false });
  offerUndo(gettext("Conversation archived."), undo);
}

/** Away at once, without a question: the server keeps it long enough to take that back. */
async function remove(id) {
  const here = id === shownId();
  await sendJson("DELETE", conversationApi(id));
  if (here) {
    sessionStorage.setItem("deleted", id); // the toast is shown by the page that comes
    location.assign("/");
    return;
  }
  leave(rowOf(id));
  offerRestore(id);
  await refreshHistory();
}

/** Takes a row out of the list; the keyboard goes on at its neighbour. */
function leave(gone) {
  const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
  gone?.remove();
  (next?.querySelector("a") ?? list).focus();
}

function offerRestore(id, { open = false } = {}) {
  offerUndo(gettext("Conversation deleted."), async () => {
    await sendJson("POST", `${conversationApi(id)}/restore`);
    if (open) location.assign(`/c/${id}`);
    else await refreshHistory();
  });
}

/** From now on the menu's buttons act on this conversation; false if the list has none. */
export function aimAt(id) {
  row = rowOf(id);
  if (row) fit();
  return row !== null;
}

/** The menu offers what can be done to the conversation of `row`. */
function fit() {
  const has = row.dataset;
  const isShown = (name, shown) => (menu.querySelector(`[data-${name}]`).hidden = !shown);
  for (const item of menu.querySelectorAll("[data-for-owner]")) item.hidden = !("owned" in has);
  if ("owned" in has) {
    isShown("pin", !("pinned" in has));
    isShown("unpin", "pinned" in has);
    isShown("archive", !("archived" in has));
    isShown("unarchive", "archived" in has);
  }
}

function act(name, run) {
  menu.querySelector(`[data-${name}]`).addEventListener("click", () => {
    menu.hidePopover();
    attempt(() => run(row.dataset.conversation));
  });
}

if (list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-conversation-menu]");
    if (!button) return;
    aimAt(button.closest("[data-conversation]").dataset.conversation);
    openMenu(menu, button);
  });
  list.addEventListener("keydown", (event) => {
    const at = event.target.closest("a")?.closest("[data-owned]");
    const run = { Delete: remove, F2: rename }[event.key];
    if (!at || !run) return;
    event.preventDefault();
    attempt(() => run(at.dataset.conversation));
  });
  act("rename", rename);
  act("pin", (id) => change(id, { is_pinned: true }));
  act("unpin", (id) => change(id, { is_pinned: false }));
  act("move", (id) => chooseFolder(id, rowOf(id).querySelector("[data-conversation-menu]")));
  act("share", async (id) => (await import("./sharing.js")).openSharing(id));
  act("archive", archive);
  act("unarchive", (id) => change(id, { is_archived: false }));
  act("delete", remove);
  bind("delete-chat", () => shownId() && attempt(() => remove(shownId())));
  const deleted = sessionStorage.getItem("deleted");
  if (deleted) {
    sessionStorage.removeItem("deleted");
    offerRestore(deleted, { open: true });
  }
}
