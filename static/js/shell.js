// What every page has: the sidebar (a drawer on small screens), its shortcuts, CSRF for htmx.
import "./menu.js";
import "./conversations.js";
import "./tabs.js";
import "./worker.js";
import { attempt } from "./history.js";
import { csrfToken, reason } from "./http.js";
import { gettext } from "./i18n.js";
import { bind, keysOf } from "./shortcuts.js";
import { toast } from "./toast.js";

const LATER_MS = 3000;
const shell = document.getElementById("shell");
const side = document.getElementById("side");
const small = matchMedia("(max-width: 60rem)");
const on = (selector, run) =>
  shell?.querySelector(selector)?.addEventListener("click", () => run());

function setDrawer(open) {
  shell.classList.toggle("side-open", open);
  const button = shell.querySelector("[data-open-side]");
  button.setAttribute("aria-expanded", String(open));
  document.getElementById("main").inert = open;
  if (open) side.querySelector("[data-close-side]").focus();
  else button.focus();
}

function setSide(shown) {
  shell.classList.toggle("no-side", !shown);
  shell.querySelector("[data-show-side]").hidden = shown;
  localStorage.setItem("side", shown ? "shown" : "hidden");
}

function toggleSide() {
  if (small.matches) setDrawer(!shell.classList.contains("side-open"));
  else setSide(shell.classList.contains("no-side"));
}

function focusSearch() {
  if (small.matches) setDrawer(true);
  else setSide(true);
  const search = document.getElementById("conversation-search");
  search.focus();
  search.select();
}

if (shell) {
  if (localStorage.getItem("side") === "hidden") setSide(false);
  on("[data-open-side]", () => setDrawer(true));
  on("[data-close-side]", () => setDrawer(false));
  on("[data-hide-side]", () => {
    setSide(false);
    shell.querySelector("[data-show-side]").focus();
  });
  on("[data-show-side]", () => {
    setSide(true);
    side.querySelector("[data-hide-side]").focus();
  });
  shell.addEventListener("click", (event) => {
    if (event.target === shell && shell.classList.contains("side-open")) setDrawer(false);
  });
  small.addEventListener("change", () => {
    if (shell.classList.contains("side-open")) setDrawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shell.classList.contains("side-open")) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    setDrawer(false);
  });
  const openFilters = () => attempt(async () => (await import("./history-filters.js")).toggleFilters());
  const openSheet = () => attempt(async () => (await import("./shortcut-sheet.js")).openSheet());
  const openPalette = () => {
    const palette = document.getElementById("palette");
    if (palette.open) return palette.close();
    if (document.querySelector("dialog[open]")) return; // a question comes first
    palette.showModal(); // what is typed while the rest is loading is not lost
    attempt(async () => (await import("./palette.js")).fillPalette());
  };
  // Not with the page, but before the network may be gone.
  const later = () => [import("./palette.js"), import("./shortcut-sheet.js"), import("./history-filters.js")];
  setTimeout(() => Promise.all(later()).catch(() => {}), LATER_MS);
  on("[data-history-filters]", openFilters);
  bind("palette", openPalette);
  bind("new-chat", () => side.querySelector("[data-new-chat]").click());
  bind("search", focusSearch);
  bind("sidebar", toggleSide);
  bind("sheet", openSheet);
  bind("sheet-key", openSheet);
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.addEventListener("click", openPalette);
  }
  for (const hint of document.querySelectorAll("[data-keys]")) {
    hint.textContent = keysOf(hint.dataset.keys).replace("+", " ");
  }
  document.getElementById("show-shortcuts")?.addEventListener("click", () => {
    document.getElementById("account-menu").hidePopover();
    openSheet();
  });
}

for (const done of document.querySelectorAll("[data-toast]")) {
  toast(done.textContent);
  done.remove();
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:sendError", () => {
  toast(gettext("The server cannot be reached."), { kind: "bad" });
});
document.addEventListener("htmx:responseError", async ({ detail: { xhr } }) => {
  const answer = new Response(xhr.response, {
    headers: { "Content-Type": xhr.getResponseHeader("Content-Type") ?? "" },
  });
  toast(await reason(answer), { kind: "bad" });
});
