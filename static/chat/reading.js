// What a reader can do with the things in an answer: wrap code, take a table away, look at it or at
// a picture on its own, go to a footnote and back.
import { copyText } from "../js/clipboard.js";
import { toCsv, toMarkdown } from "../js/tables.js";

const WRAP = "wrap-code";
const root = document.documentElement;
const tableDialog = document.getElementById("table-dialog");
const pictureDialog = document.getElementById("picture-dialog");
let shownTable = null; // the one in the answer, of which the dialog shows a copy

const CLICKS = {
  "[data-wrap-code]": () => setWrap(!("wrapCode" in root.dataset)),
  "[data-diagram-source]": toggleSource,
  "[data-copy-table]": copyTable,
  "[data-open-table]": openTable,
  "#table-dialog :is(a.cite, a.footnote)": leaveTable,
  ".picture": openPicture,
  "[data-actual-size]": () => setActualSize(!("actual" in pictureDialog.dataset)),
  "dialog.sheet [data-close]": (button) => button.closest("dialog").close(),
  "dialog.sheet[open]": (dialog, { target }) => target === dialog && dialog.close(),
  "a.footnote": goToNote,
  "a.footnote-back": goBack,
};

document.addEventListener("click", (event) => {
  if (event.defaultPrevented) return;
  for (const [selector, act] of Object.entries(CLICKS)) {
    const target = event.target.closest?.(selector);
    if (!target) continue;
    if (target.matches("a")) event.preventDefault();
    act(target, event);
    return;
  }
});

/** All code at once, and remembered: whoever reads on a narrow screen wants it everywhere. */
function setWrap(wraps) {
  root.toggleAttribute("data-wrap-code", wraps);
  for (const button of document.querySelectorAll("[data-wrap-code][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(wraps));
  }
  if (wraps) localStorage.setItem(WRAP, "yes");
  else localStorage.removeItem(WRAP);
}

function toggleSource(button) {
  const box = button.closest(".diagram");
  const isPicture = box.dataset.shows === "picture";
  if (!box.querySelector("img")) return;
  box.dataset.shows = isPicture ? "source" : "picture";
  button.setAttribute("aria-pressed", String(isPicture));
}

function copyTable(button) {
  const table = button.closest("dialog") ? shownTable : tableOf(button);
  return copyText(button.dataset.copyTable === "csv" ? toCsv(table) : toMarkdown(table));
}

const tableOf = (button) => button.closest(".table-frame").querySelector("table");

function openTable(button) {
  shownTable = tableOf(button);
  const stage = tableDialog.querySelector("[data-table]");
  stage.replaceChildren(shownTable.cloneNode(true));
  tableDialog.showModal();
  stage.focus();
}

/** A citation or footnote of the copy does what the one in the answer does. */
function leaveTable(link) {
  const links = "a.cite, a.footnote";
  const at = [...tableDialog.querySelectorAll(links)].indexOf(link);
  tableDialog.close();
  shownTable.querySelectorAll(links)[at].click();
}

function openPicture(button) {
  const image = button.querySelector("img");
  const shown = image.cloneNode();
  const isDiagram = button.closest(".diagram") !== null;
  pictureDialog.querySelector("[data-title]").textContent = image.alt || button.ariaLabel;
  pictureDialog.toggleAttribute("data-vector", isDiagram);
  pictureDialog.querySelector("[data-picture]").replaceChildren(shown);
  setActualSize(false);
  pictureDialog.showModal();
  pictureDialog.querySelector("[data-picture]").focus();
}

function setActualSize(isActual) {
  pictureDialog.toggleAttribute("data-actual", isActual);
  pictureDialog.querySelector("[data-actual-size]").setAttribute("aria-pressed", String(isActual));
}

function goToNote(link) {
  const label = CSS.escape(link.dataset.note);
  goTo(link.closest(".md").querySelector(`[data-note="${label}"]:not(a)`));
}

function goBack(link) {
  const label = CSS.escape(link.closest("[data-note]").dataset.note);
  goTo(link.closest(".md").querySelector(`a.footnote[data-note="${label}"]`));
}

function goTo(el) {
  if (!el) return;
  if (!el.matches("a")) el.tabIndex = -1;
  el.scrollIntoView({ block: "center" });
  el.focus({ preventScroll: true });
}

if (localStorage.getItem(WRAP)) setWrap(true);
