// The page of saved prompts: made, changed, shared, imported, deleted and brought back.
import { fetchFragment, sendJson } from "../js/http.js";
import { fill, gettext, ngettext } from "../js/i18n.js";
import { attempt } from "../js/history.js";
import { isComposing } from "../js/keys.js";
import { toast } from "../js/toast.js";
import { readPrompts } from "./prompt-files.js";
import { blanksOf } from "../chat/blanks.js";

const API = "/api/v1/prompts";
const UNDO_MS = 12_000;
const list = document.getElementById("prompts");
const query = document.getElementById("prompts-query");
const file = document.getElementById("prompts-file");
const form = document.getElementById("prompt-form");
const sharing = document.getElementById("prompt-share");
const fieldsOf = (dialog) => dialog.querySelector("form").elements;
let save = null; // what the open dialog does with what was entered

async function refresh() {
  const url = new URL(list.dataset.url, location.href);
  url.searchParams.set("q", query.value);
  list.replaceChildren(await fetchFragment(url));
}

/** Opens a dialog; `onSave` runs when it is sent, and what goes wrong is said in it. */
function open(dialog, onSave) {
  save = onSave;
  dialog.querySelector("[data-error]").hidden = true;
  dialog.showModal();
}

function openForm(prompt, onSave) {
  const { name, text } = fieldsOf(form);
  const title = form.querySelector("[data-title]");
  title.textContent = prompt ? title.dataset.change : title.dataset.new;
  name.value = prompt?.name ?? "";
  text.value = prompt?.text ?? "";
  showBlanks();
  open(form, () => onSave({ name: name.value, text: text.value }));
  name.focus();
}

function showBlanks() {
  const box = document.getElementById("prompt-blanks");
  const names = [...new Set(blanksOf(fieldsOf(form).text.value).map(({ name }) => name))];
  box.textContent = names.length ? `${box.dataset.some} ${names.join(", ")}` : box.dataset.none;
}

async function openSharing(id) {
  const { teams, people } = await sendJson("GET", `${API}/${id}/readers`);
  const ids = teams.map((team) => team.id);
  const boxes = [...sharing.querySelectorAll("[name=team]")];
  for (const box of boxes) box.checked = ids.includes(box.value);
  fieldsOf(sharing).people.value = people.join(", ");
  open(sharing, () =>
    sendJson("PUT", `${API}/${id}/readers`, {
      teams: boxes.filter((box) => box.checked).map((box) => box.value),
      people: fieldsOf(sharing).people.value.split(/[,;\s，；、]+/).filter(Boolean),
    }),
  );
}

async function remove(row) {
  const id = row.dataset.prompt;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  await sendJson("DELETE", `${API}/${id}`);
  const action = () => attempt(() => sendJson("POST", `${API}/${id}/restore`).then(refresh));
  toast(gettext("Prompt deleted."), { label: gettext("Undo"), action, life: UNDO_MS });
  await refresh();
  const at = next && list.querySelector(`[data-prompt="${next.dataset.prompt}"] a`);
  (at ?? document.querySelector("[data-new]")).focus();
}

async function take(card) {
  await sendJson("POST", API, wordsOf(card));
  await refresh();
  list.querySelector("a")?.focus();
}

const wordsOf = (row) => ({
  name: row.querySelector("[data-name]").textContent,
  text: row.querySelector("[data-text]").textContent,
});

async function importFile() {
  const [chosen] = file.files;
  file.value = ""; // the same file may be chosen again
  const prompts = readPrompts(await chosen.text());
  const { added, skipped } = await sendJson("POST", `${API}/import`, { prompts });
  const said = ngettext("%(n)s prompt added.", "%(n)s prompts added.", added);
  const known = ngettext("You had %(n)s already.", "You had %(n)s already.", skipped);
  toast([fill(said, { n: added }), skipped ? fill(known, { n: skipped }) : ""].join(" ").trim());
  await refresh();
}

const CLICKS = {
  "[data-new]": () => openForm(null, (words) => sendJson("POST", API, words)),
  "[data-change]": (button) => {
    const row = button.closest("[data-prompt]");
    openForm(wordsOf(row), (words) => sendJson("PATCH", `${API}/${row.dataset.prompt}`, words));
  },
  "[data-share]": (button) => openSharing(button.closest("[data-prompt]").dataset.prompt),
  "[data-delete]": (button) => remove(button.closest("[data-prompt]")),
  "[data-take]": (button) => take(button.closest(".example")),
  "[data-import]": () => {
    document.getElementById("prompts-menu").hidePopover();
    file.click();
  },
};

document.querySelector(".prompts").addEventListener("click", ({ target }) => {
  for (const [selector, act] of Object.entries(CLICKS)) {
    const button = target.closest(selector);
    if (button) attempt(async () => act(button));
  }
});

for (const dialog of [form, sharing]) {
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = dialog.querySelector("[data-error]");
    try {
      await save();
      dialog.close();
      await refresh();
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
  });
}
form.addEventListener("input", showBlanks);
form.addEventListener("keydown", (event) => {
  const isDone = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isComposing(event);
  if (isDone) form.querySelector("form").requestSubmit();
});
file.addEventListener("change", () => file.files.length && attempt(importFile));
