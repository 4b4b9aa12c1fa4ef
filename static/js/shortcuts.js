// Every shortcut, once: this table is what is listened to and what the sheet shows.
import { gettext } from "./i18n.js";
import { isComposing, isMac, isTaken } from "./keys.js";

const EVERYWHERE = gettext("Everywhere");
const CHAT = gettext("In a chat");
const WRITING = gettext("While writing");
const LISTS = gettext("In lists");
const READING = gettext("In a document");

/** `Mod` is Ctrl, on a Mac ⌘. `own`: the field or list itself listens. `single`: can be off. */
export const SHORTCUTS = [
  { id: "palette", keys: ["Mod", "K"], group: EVERYWHERE, text: gettext("Go to anything, do anything") },
  { id: "new-chat", keys: ["Mod", "Shift", "O"], group: EVERYWHERE, text: gettext("New chat") },
  { id: "search", keys: ["Mod", "Shift", "F"], group: EVERYWHERE, text: gettext("Search conversations") },
  { id: "sidebar", keys: ["Mod", "Shift", "S"], group: EVERYWHERE, text: gettext("Show or hide the sidebar") },
  { id: "sheet", keys: ["Mod", "/"], group: EVERYWHERE, text: gettext("Show these shortcuts") },
  { id: "sheet-key", keys: ["?"], group: EVERYWHERE, text: gettext("Show these shortcuts"), single: true },
  { id: "copy-answer", keys: ["Mod", "Shift", "C"], group: CHAT, text: gettext("Copy the last answer") },
  { id: "delete-chat", keys: ["Mod", "Shift", "Backspace"], group: CHAT, text: gettext("Delete this conversation") },
  { id: "stop", keys: ["Esc"], group: CHAT, text: gettext("Close the sources, or stop answering"), own: true },
  { id: "type", keys: [gettext("any letter")], group: CHAT, text: gettext("Write a question"), own: true, single: true },
  { id: "send", keys: ["Enter"], group: WRITING, text: gettext("Send"), own: true },
  { id: "line", keys: ["Shift", "Enter"], group: WRITING, text: gettext("New line"), own: true },
  { id: "edit-last", keys: ["↑"], group: WRITING, text: gettext("Edit your last question, when the field is empty"), own: true },
  { id: "prompts", keys: ["/"], group: WRITING, text: gettext("Insert a saved prompt"), own: true },
  { id: "agents", keys: ["@"], group: WRITING, text: gettext("Ask another agent this once"), own: true },
  { id: "collections", keys: ["#"], group: WRITING, text: gettext("Search in a collection"), own: true },
  { id: "blank", keys: ["Tab"], group: WRITING, text: gettext("To the next blank of a prompt"), own: true },
  { id: "walk", keys: ["↑", "↓"], group: LISTS, text: gettext("Up and down"), own: true },
  { id: "rename", keys: ["F2"], group: LISTS, text: gettext("Rename the conversation"), own: true },
  { id: "delete", keys: ["Delete"], group: LISTS, text: gettext("Delete the conversation"), own: true },
  { id: "next-passage", keys: ["N"], group: READING, text: gettext("Next passage"), single: true },
  { id: "previous-passage", keys: ["P"], group: READING, text: gettext("Previous passage"), single: true },
];
const runs = new Map();

/** From now on this is what the shortcut does. */
export function bind(id, run) {
  if (!SHORTCUTS.some((shortcut) => shortcut.id === id)) throw new Error(`No shortcut ${id}`);
  runs.set(id, run);
}

export const isBound = (id) => runs.has(id);

/** Whether keys do something by themselves, without Ctrl: a setting of the person. */
export const hasSingleKeys = () => document.body.dataset.keyShortcuts !== "off";

/** The keys as this machine's keyboard calls them. */
export const keyNames = (keys) =>
  keys.map((key) => ({ Mod: isMac ? "⌘" : "Ctrl", Shift: isMac ? "⇧" : "Shift", Backspace: "⌫" })[key] ?? key);

/** As `keyNames`, of a shortcut by its id, in one word. */
export function keysOf(id) {
  return keyNames(SHORTCUTS.find((shortcut) => shortcut.id === id).keys).join(isMac ? "" : "+");
}

function isMeant({ keys, own, single }, event) {
  const has = (name) => keys.includes(name);
  if (own || event.key.toLowerCase() !== keys.at(-1).toLowerCase() || event.altKey) return false;
  if (single) return hasSingleKeys() && !event.ctrlKey && !event.metaKey && !isTaken(event);
  // "/" needs Shift on some keyboards, so Shift counts with letters only.
  const isShiftRight = event.key === "/" || event.shiftKey === has("Shift");
  return (event.ctrlKey || event.metaKey) === has("Mod") && isShiftRight;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || isComposing(event)) return;
  const meant = SHORTCUTS.find((shortcut) => runs.has(shortcut.id) && isMeant(shortcut, event));
  if (!meant) return;
  event.preventDefault();
  runs.get(meant.id)();
});
