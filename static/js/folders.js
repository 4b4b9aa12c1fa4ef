// Folders in the sidebar: moved into by menu or by dragging, renamed, deleted.
import { promptText } from "./dialog.js";
import { attempt, conversationApi, isInUse, keepFolder, list, offerUndo, refreshHistory, rowOf } from "./history.js";
import { sendJson } from "./http.js";
import { gettext } from "./i18n.js";
import { openMenu } from "./menu.js";

const KIND = "application/x-parley-conversation";
const API = "/api/v1/folders";
const MOST = 100; // conversations that come back with a folder
const moveMenu = document.getElementById("move-menu");
const folderMenu = document.getElementById("folder-menu");
let moving = null;
let folder = null;

/** Asks into which folder the conversation goes, in a menu beside `button`. */
export function chooseFolder(id, button) {
  moving = id;
  const at = rowOf(id).closest("[data-folder]")?.dataset.folder;
  const items = [...list.querySelectorAll("[data-folder]")].map((it) => item(it, at));
  moveMenu.querySelector("[data-folders]").replaceChildren(...items);
  moveMenu.querySelector("[data-none]").hidden = !at;
  openMenu(moveMenu, button);
}

function item(from, at) {
  const button = document.getElementById("move-template").content.firstElementChild.cloneNode(true);
  const { folder: id } = from.dataset;
  button.querySelector("[data-name]").textContent = nameOf(from);
  button.dataset.into = id;
  button.setAttribute("aria-pressed", String(id === at));
  return button;
}

const nameOf = (element) => element.querySelector("[data-name]").textContent;

async function move(id, into) {
  await sendJson("PUT", `${conversationApi(id)}/folder`, { folder: into });
  await refreshHistory();
  if (isInUse()) return; // by now they are elsewhere
  const row = rowOf(id);
  const folded = row?.closest("details:not([open])");
  (folded?.querySelector("summary") ?? row?.querySelector("a"))?.focus();
}

async function moveIntoNew(id) {
  const name = await promptText({ title: gettext("New folder"), value: "" });
  if (!name) return;
  const made = await sendJson("POST", API, { name });
  keepFolder(made.id, true);
  await move(id, made.id);
}

async function rename({ id, name }) {
  const wanted = await promptText({ title: gettext("Rename folder"), value: name });
  if (!wanted || wanted === name) return;
  await sendJson("PATCH", `${API}/${id}`, { name: wanted });
  await refreshHistory();
}

/** Away at once: the conversations are kept, and the folder can be had again with all of them. */
async function remove({ id, name, isOpen }) {
  const { items: filed } = await sendJson("GET", `/api/v1/conversations?folder=${id}&limit=${MOST}`);
  await sendJson("DELETE", `${API}/${id}`);
  keepFolder(id, false);
  await refreshHistory();
  offerUndo(gettext("Folder deleted; its conversations are kept."), async () => {
    const made = await sendJson("POST", API, { name });
    keepFolder(made.id, isOpen);
    for (const it of filed) await sendJson("PUT", `${conversationApi(it.id)}/folder`, { folder: made.id });
    await refreshHistory();
  });
}

/** The folder under the pointer; the list outside of folders means none. */
function targetOf(event) {
  if (!event.dataTransfer.types.includes(KIND)) return null;
  return event.target.closest("[data-folder]") ?? list;
}

function mark(target) {
  for (const marked of [list, ...list.querySelectorAll("[data-folder]")]) {
    marked.classList.toggle("drop", marked === target && target !== list);
  }
}

function dragging() {
  list.addEventListener("dragstart", (event) => {
    const row = event.target.closest("[data-conversation]");
    if (!row) return;
    event.dataTransfer.setData(KIND, row.dataset.conversation);
    row.dataset.dragged = ""; // a list made anew meanwhile would never hear of the end
  });
  list.addEventListener("dragover", (event) => {
    const target = targetOf(event);
    if (target) event.preventDefault();
    mark(target);
  });
  list.addEventListener("drop", (event) => {
    const target = targetOf(event);
    if (!target) return;
    event.preventDefault();
    const id = event.dataTransfer.getData(KIND);
    attempt(() => move(id, target.dataset.folder ?? null));
  });
  list.addEventListener("dragend", ({ target }) => {
    mark(null);
    delete target.closest("[data-conversation]")?.dataset.dragged;
  });
}

if (list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-folder-menu]");
    if (!button) return;
    const at = button.closest("[data-folder]");
    folder = { id: at.dataset.folder, name: nameOf(at), isOpen: at.querySelector("details").open };
    openMenu(folderMenu, button);
  });
  moveMenu.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    moveMenu.hidePopover();
    if ("new" in button.dataset) attempt(() => moveIntoNew(moving));
    else attempt(() => move(moving, button.dataset.into ?? null));
  });
  for (const [name, run] of Object.entries({ rename, delete: remove })) {
    folderMenu.querySelector(`[data-${name}]`).addEventListener("click", () => {
      folderMenu.hidePopover();
      attempt(() => run(folder));
    });
  }
  dragging();
}
