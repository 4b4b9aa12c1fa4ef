// Editing passages: one panel of a passage is open at a time; after an edit the list comes anew, and
// words that were typed elsewhere and not saved stay.
import { fetchFragment } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const list = document.getElementById("curation");
const said = document.getElementById("curation-status");
const UNDO_MS = 12_000;

const panelOf = (button) => button.closest("li").querySelector(`[data-panel="${button.dataset.opens}"]`);
const isDirty = (panel) => [...panel.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);

function open(panel) {
  const item = panel.closest("li");
  for (const other of item.querySelectorAll("[data-panel]")) close(other);
  panel.hidden = false;
  item.classList.add("open");
  const shown = item.querySelector("[data-shown]");
  if (shown) shown.hidden = ["correct", "split"].includes(panel.dataset.panel);
  item.querySelector(`[data-opens="${panel.dataset.panel}"]`)?.setAttribute("aria-expanded", "true");
  panel.querySelector("textarea, .cut")?.focus();
}

function close(panel, { andFocus = false } = {}) {
  const item = panel.closest("li");
  if (panel.hidden) return;
  panel.hidden = true;
  item.classList.remove("open");
  const shown = item.querySelector("[data-shown]");
  if (shown) shown.hidden = false;
  const button = item.querySelector(`[data-opens="${panel.dataset.panel}"]`);
  button?.setAttribute("aria-expanded", "false");
  if (andFocus) button?.focus();
}

/** What is typed and not saved, by the passage and the panel it is in. */
function drafts(saved) {
  const open = [...list.querySelectorAll("[data-panel]:not([hidden])")];
  return open
    .filter((panel) => panel !== saved && isDirty(panel))
    .map((panel) => [panel.closest("li").dataset.key, panel.dataset.panel, panel.querySelector("textarea").value]);
}

async function refresh({ saved, near } = {}) {
  const kept = drafts(saved);
  const address = new URL(list.dataset.url, location);
  address.search = location.search;
  try {
    list.replaceChildren(await fetchFragment(address));
  } catch (error) {
    toast(error.message, { kind: "bad" });
    return;
  }
  window.htmx.process(list);
  for (const [key, name, text] of kept) {
    const panel = list.querySelector(`li[data-key="${key}"] [data-panel="${name}"]`);
    if (!panel) continue;
    open(panel);
    panel.querySelector("textarea").value = text;
  }
  const items = [...list.querySelectorAll("li[data-key]")];
  items[Math.min(near, items.length - 1)]?.focus({ preventScroll: kept.length > 0 });
}

const indexOf = (element) => [...list.querySelectorAll("li[data-key]")].indexOf(element.closest("li[data-key]"));

list.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-opens]");
  if (opener) {
    const panel = panelOf(opener);
    if (panel.hidden) open(panel);
    else close(panel, { andFocus: true });
  }
  const closer = target.closest("[data-closes]");
  if (closer) {
    const panel = closer.closest("[data-panel]");
    panel.reset();
    close(panel, { andFocus: true });
  }
});

list.addEventListener("keydown", (event) => {
  const panel = event.target.closest("[data-panel]");
  if (!panel) return;
  if (event.key === "Escape" && !event.isComposing) {
    if (!isDirty(panel)) close(panel, { andFocus: true });
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && panel.dataset.panel !== "split") {
    event.preventDefault();
    panel.requestSubmit();
  }
});

document.addEventListener("passages-changed", ({ detail, target }) => {
  const inList = list.contains(target);
  refresh({ saved: target.closest("[data-panel]"), near: inList ? Math.max(0, indexOf(target)) : 0 });
  said.textContent = detail.text;
  document.getElementById("toasts").replaceChildren(); // each edit can be undone where it is, too
  const action = () => window.htmx.ajax("POST", detail.undo, { source: list, swap: "none" });
  toast(detail.text, detail.undo ? { label: gettext("Undo"), action, life: UNDO_MS } : {});
});

document.addEventListener("edit-refused", ({ detail, target }) => {
  toast(detail.text, { kind: "bad" });
  if (detail.late) refresh({ near: Math.max(0, indexOf(target)) });
});
