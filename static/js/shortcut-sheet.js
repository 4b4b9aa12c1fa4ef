// The sheet of shortcuts, made from the table that is listened to.
import { attempt } from "./history.js";
import { sendJson } from "./http.js";
import { SHORTCUTS, hasSingleKeys, keyNames } from "./shortcuts.js";

const sheet = document.getElementById("shortcut-sheet");
const groups = sheet.querySelector("[data-groups]");
const single = sheet.querySelector("[data-single-keys]");

export function openSheet() {
  if (sheet.open) return sheet.close();
  if (document.querySelector("dialog[open]")) return;
  single.checked = hasSingleKeys();
  draw();
  sheet.showModal();
}

function draw() {
  const titles = [...new Set(SHORTCUTS.map(({ group }) => group))];
  groups.replaceChildren(...titles.map(section));
}

function section(title) {
  const box = document.createElement("section");
  const heading = document.createElement("h3");
  const rows = document.createElement("dl");
  heading.textContent = title;
  const shown = SHORTCUTS.filter((one) => one.group === title && (!one.single || hasSingleKeys()));
  rows.append(...shown.map(row));
  box.append(heading, rows);
  return box;
}

function row({ id, keys, text }) {
  const line = document.createElement("div");
  const what = document.createElement("dt");
  const how = document.createElement("dd");
  line.dataset.shortcut = id;
  what.textContent = text;
  for (const name of keyNames(keys)) {
    const key = document.createElement("kbd");
    key.textContent = name;
    how.append(key);
  }
  line.append(what, how);
  return line;
}

single.addEventListener("change", () => {
  document.body.dataset.keyShortcuts = single.checked ? "on" : "off";
  draw();
  attempt(() => sendJson("PATCH", "/api/v1/me", { has_key_shortcuts: single.checked }));
});
sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close());
sheet.querySelector("[data-close]").addEventListener("click", () => sheet.close());
