// What every page has: the sidebar (a drawer on small screens), its shortcuts, CSRF for htmx.
import "./menu.js";
import "./conversations.js";
import "./tabs.js";
import "./worker.js";
import { csrfToken, reason } from "./http.js";
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";

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
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      focusSearch();
    } else if (command && event.shiftKey && event.key.toLowerCase() === "o") {
      event.preventDefault();
      side.querySelector("[data-new-chat]").click();
    } else if (event.key === "Escape" && shell.classList.contains("side-open")) {
      event.preventDefault();
      setDrawer(false);
    }
  });
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
