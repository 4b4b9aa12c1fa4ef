// The command palette: one field for every conversation, document, page and action. What this page
// knows is there at once, also without a network; what the server finds follows.
import { commands, newestConversations } from "./commands.js";
import { sendJson } from "./http.js";
import { gettext } from "./i18n.js";
import { Listbox } from "./listbox.js";
import { matching } from "./matching.js";
import { recentIds, remember } from "./recent.js";

const PAUSE_MS = 150;
const LATELY = 4;
const KINDS = {
  conversation: { title: gettext("Conversations"), icon: "message-circle" },
  document: { title: gettext("Documents"), icon: "file-text" },
  collection: { title: gettext("Collections"), icon: "library" },
  passage: { title: gettext("In documents"), icon: "quote" },
  agent: { title: gettext("Agents"), icon: "sparkles" },
  prompt: { title: gettext("Saved prompts"), icon: "bookmark" },
};
const dialog = document.getElementById("palette");
const field = document.getElementById("palette-query");
const nothing = dialog.querySelector("[data-nothing]");
const kinds = dialog.querySelector("[data-kinds]");
const list = new Listbox(document.getElementById("palette-list"), field, {
  status: document.getElementById("palette-status"),
  onPick: pick,
});
let known = []; // the commands of the page as it is now
let found = []; // groups from the server
let asked = { query: "", abort: new AbortController(), timer: 0 };

/** The palette was opened, and perhaps something typed already. */
export function fillPalette() {
  known = commands();
  found = [];
  changed();
}

function pick({ id, run, url }) {
  if (known.some((one) => one.id === id)) remember("command", id);
  dialog.close();
  if (run) run();
  else if (!isPromptTaken(id)) location.assign(url);
}

/** A page with a message box puts a prompt into it. */
function isPromptTaken(id) {
  const [kind, detail] = id.split(":");
  if (kind !== "prompt") return false;
  return !document.dispatchEvent(new CustomEvent("prompt:use", { detail, cancelable: true }));
}

function show() {
  const query = field.value.trim();
  list.show(query ? [...(kind() ? [] : [actions(query)]), ...found] : first(), query);
  kinds.hidden = !query;
  nothing.hidden = list.isOpen || asked.query === query;
}

const actions = (query) => ({ title: gettext("Actions and pages"), options: matching(query, known) });

/** The kind that alone is looked for; empty: all of them. */
const kind = () => kinds.querySelector("[aria-pressed=true]").dataset.kind;

function choose(button) {
  for (const other of kinds.children) other.setAttribute("aria-pressed", String(other === button));
  found = [];
  field.focus();
  changed();
}

/** Before anything is typed: what was used lately, the newest conversations, everything else. */
function first() {
  const ids = recentIds("command");
  const lately = ids.map((id) => known.find((one) => one.id === id)).filter(Boolean).slice(0, LATELY);
  return [
    { title: gettext("Used lately"), options: lately },
    { title: gettext("Conversations"), options: newestConversations() },
    { title: gettext("Actions and pages"), options: known.filter((one) => !lately.includes(one)) },
  ];
}

/** Asks the server when typing pauses; what was asked before is not waited for any more. */
function changed() {
  asked.abort.abort();
  clearTimeout(asked.timer);
  const query = field.value.trim();
  if (!query) found = [];
  asked = { query, abort: new AbortController(), timer: setTimeout(() => ask(asked), PAUSE_MS) };
  show();
}

async function ask(mine) {
  if (!mine.query) return;
  const url = `/api/v1/jump?${new URLSearchParams({ q: mine.query, kind: kind() })}`;
  let items = [];
  try {
    ({ items } = await sendJson("GET", url, undefined, { signal: mine.abort.signal }));
  } catch {
    if (mine.abort.signal.aborted) return;
  }
  if (mine !== asked) return;
  found = grouped(items);
  asked.query = "";
  show();
}

function grouped(items) {
  return Object.entries(KINDS).map(([kind, { title, icon }]) => ({
    title,
    options: items
      .filter((item) => item.kind === kind)
      .map(({ id, name, marks, detail, detail_marks: detailMarks, url }) => {
        return { id: `${kind}:${id}`, name, marks, detail, detailMarks, url, icon };
      }),
  }));
}

field.addEventListener("input", changed);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") list.press(event); // Escape closes the dialog, not the list alone
});
dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
kinds.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-kind]");
  if (button) choose(button);
});
dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  asked.abort.abort();
  clearTimeout(asked.timer);
  list.close();
  field.value = "";
  for (const button of kinds.children) button.setAttribute("aria-pressed", String(!button.dataset.kind));
});
