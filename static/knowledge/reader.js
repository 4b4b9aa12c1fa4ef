// A document beside its passages: a passage is shown in its place, whichever view is open.
import { fetchFragment, fetchJson } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { bind } from "../js/shortcuts.js";
import { toast } from "../js/toast.js";
import { openPages } from "./pdf-panel.js";

const reader = document.getElementById("reader");
const reading = document.getElementById("reading");
const list = document.getElementById("passage-list");
const aside = document.getElementById("passages");
const said = document.getElementById("reader-status");
const small = matchMedia("(max-width: 60rem)");

let pages = null; // resolves to the open PDF, or to null where there is none
let opener = null;

function begin() {
  const pdf = document.getElementById("pdf");
  if (pdf && small.matches) pdf.scrollIntoView(); // on a phone it fills the screen
  pages = openPages(pdf, showText);
  const passage = document.getElementById("passage");
  if (!passage) return;
  passage.scrollIntoView({ block: "center" });
  passage.focus({ preventScroll: true });
}

/** Another view of the document in place of this one. */
async function showView(address) {
  try {
    reading.replaceChildren(await fetchFragment(address));
    history.replaceState(null, "", address);
    begin();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

/** What can be read where pages cannot be drawn: the stored text, below what went wrong. */
async function showText(address) {
  if (!address) return;
  const text = await fetchFragment(address);
  text.querySelector(".reading-bar")?.remove();
  document.getElementById("pdf").after(text);
}

async function showPassage(chunk) {
  const { span } = chunk.dataset;
  const view = new URL(location).searchParams.get("view");
  const address = `?${view ? `view=${view}&` : ""}at=${span}`;
  mark(chunk);
  if (small.matches) closePassages();
  const open = await pages;
  if (!open) {
    await showView(address);
  } else {
    history.replaceState(null, "", address);
    const { places } = await fetchJson(`${reader.dataset.places}?at=${span}`);
    await open.show(places);
  }
  said.textContent = chunk.querySelector("[data-shows]").getAttribute("aria-label");
}

function mark(chunk) {
  for (const other of list.querySelectorAll(".current")) other.classList.remove("current");
  chunk.classList.add("current");
  bringIntoView(chunk);
}

/** Only the list of passages moves. */
function bringIntoView(chunk) {
  const row = chunk.getBoundingClientRect();
  const box = list.getBoundingClientRect();
  if (row.top < box.top || row.bottom > box.bottom) list.scrollTop += row.top - box.top;
}

function step(by) {
  const chunks = [...list.querySelectorAll(".chunk")];
  const at = chunks.findIndex((chunk) => chunk.classList.contains("current"));
  const next = chunks[at < 0 ? 0 : at + by];
  if (next) showPassage(next);
  else said.textContent = by > 0 ? gettext("This is the last passage.") : gettext("This is the first passage.");
}

function openPassages(button) {
  opener = button;
  aside.classList.add("open");
  aside.focus();
}

function closePassages() {
  if (!aside.classList.contains("open")) return;
  aside.classList.remove("open");
  opener?.focus();
}

if (reader) {
  reader.addEventListener("click", (event) => {
    const target = event.target.closest("[data-view], [data-shows], [data-step], [data-open-passages], [data-close-passages]");
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if ("view" in target.dataset) showView(target.getAttribute("href"));
    else if ("shows" in target.dataset) showPassage(target.closest(".chunk"));
    else if ("step" in target.dataset) step(Number(target.dataset.step));
    else if ("openPassages" in target.dataset) openPassages(target);
    else closePassages();
  });
  aside.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !aside.classList.contains("open")) return;
    event.preventDefault();
    closePassages();
  });
  bind("next-passage", () => step(1));
  bind("previous-passage", () => step(-1));
  const current = list.querySelector(".current");
  if (current) bringIntoView(current);
  begin();
}
