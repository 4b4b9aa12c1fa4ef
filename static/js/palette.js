// The command palette: one field for every conversation, document, page and action. What this page
// knows is there at once, also without a network; what the server finds follows.
import { commands, newestConversations } from "./commands.js";
import { sendJson } from "./http.js";
import { fill, gettext, language } from "./i18n.js";
import { icon } from "./icon.js";
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
const narrowed = dialog.querySelector("[data-narrowed]");
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const list = new Listbox(document.getElementById("palette-list"), field, {
  status: document.getElementById("palette-status"),
  onPick: pick,
});
let known = []; // the commands of the page as it is now
let found = []; // groups from the server
let without = []; // kinds of narrowing that are to be words
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
  narrowed.hidden = !query || !narrowed.childElementCount;
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

/** What words of the query narrowed the conversations to; each can be left to be words. */
function tell(chips) {
  narrowed.replaceChildren(...chips.map(chip));
}

function chip(one) {
  const button = document.createElement("button");
  const what = one.name || spanned(one);
  button.type = "button";
  button.className = "chip";
  button.dataset.without = one.kind;
  button.ariaLabel = fill(gettext("“%(words)s” are words, and narrow nothing"), { words: one.words });
  button.title = button.ariaLabel;
  button.append(icon(one.kind === "agent" ? "sparkles" : "calendar"), what, icon("x"));
  return button;
}

function spanned({ since, until, words }) {
  const [first, last] = [since, until].map((day) => day && new Date(`${day}T00:00Z`));
  if (first && last) return days.formatRange(first, last);
  if (first) return fill(gettext("from %(day)s"), { day: days.format(first) });
  return last ? fill(gettext("until %(day)s"), { day: days.format(last) }) : words;
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
  if (!query) {
    found = [];
    without = [];
    tell([]);
  }
  asked = { query, abort: new AbortController(), timer: setTimeout(() => ask(asked), PAUSE_MS) };
  show();
}

async function ask(mine) {
  if (!mine.query) return;
  const said = [["q", mine.query], ["kind", kind()], ...without.map((one) => ["without", one])];
  const url = `/api/v1/jump?${new URLSearchParams(said)}`;
  let items = [];
  let chips = [];
  try {
    ({ items, narrowed: chips } = await sendJson("GET", url, undefined, { signal: mine.abort.signal }));
  } catch {
    if (mine.abort.signal.aborted) return;
  }
  if (mine !== asked) return;
  found = grouped(items);
  tell(chips);
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
narrowed.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-without]");
  if (!button) return;
  without.push(button.dataset.without);
  field.focus();
  changed();
});
dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  asked.abort.abort();
  clearTimeout(asked.timer);
  list.close();
  field.value = "";
  without = [];
  for (const button of kinds.children) button.setAttribute("aria-pressed", String(!button.dataset.kind));
});
