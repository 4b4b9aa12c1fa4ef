// What settings pages share: questions before something ends, a word about what is not saved yet,
// and arrow keys through the list of pages.
import "../js/strips.js";
import { confirmAction } from "../js/dialog.js";

const nav = document.getElementById("settings-nav");
const current = nav?.querySelector("[aria-current]");
// On a phone the list is a strip that scrolls sideways.
if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - 16;

nav?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const links = [...nav.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  links.at((at + step) % links.length).focus();
});

for (const form of document.querySelectorAll("form[data-guarded]")) {
  form.addEventListener("input", () => {
    form.querySelector("[data-unsaved]").hidden = false;
  });
}

async function ask({ ask: url, target, title, text, yes }) {
  if (!(await confirmAction({ title, text, yes }))) return;
  await window.htmx.ajax("POST", url, { target, swap: "outerHTML" });
  // The button that was pressed is gone: go on from the part that changed.
  const changed = document.querySelector(target);
  changed?.setAttribute("tabindex", "-1");
  changed?.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-ask]");
  if (button) ask(button.dataset);
});
