// The documents of a collection: actions of a row, the preview of passages, end of indexing.
import { fill, gettext } from "../js/i18n.js";
import { openMenu } from "../js/menu.js";
import { toast } from "../js/toast.js";
import { offerUndo } from "./bulk.js";
import "./upload.js";

const menu = document.getElementById("document-menu");
const preview = document.getElementById("preview");
let row = null;

function open(button) {
  row = button.closest("[data-document]");
  menu.querySelector("[data-open-document]").href = row.dataset.page;
  menu.querySelector("[data-download]").href = row.dataset.file;
  openMenu(menu, button);
}

const post = (url) => window.htmx.ajax("POST", url, { swap: "none" });

async function remove() {
  const { title, document: id, deleteUrl } = row.dataset;
  await post(deleteUrl);
  offerUndo(fill(gettext("“%(title)s” is deleted."), { title }), [id]);
}

function closePreview() {
  preview.replaceChildren();
  document.querySelector("tr.selected")?.classList.remove("selected");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-document-menu]");
  if (button) open(button);
  if (event.target.closest("[data-close-preview]")) closePreview();
});
menu.addEventListener("click", (event) => {
  const item = event.target.closest(".menu-item");
  if (!item) return;
  menu.hidePopover();
  if ("reindex" in item.dataset) post(row.dataset.reindexUrl);
  if ("delete" in item.dataset) remove();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id !== "preview") return;
  closePreview();
  event.target.closest("tr")?.classList.add("selected");
});
// A row that a filter took off the page after it had been asked about is told to nobody.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "progress") return;
  const told = new DOMParser().parseFromString(detail.serverResponse, "text/html");
  for (const template of told.querySelectorAll("template")) {
    if (!document.getElementById(template.content.firstElementChild?.id)) template.remove();
  }
  detail.serverResponse = told.body.innerHTML;
});
document.addEventListener("indexing-finished", (event) => toast(event.detail.value));

const here = new URL(location);
const deleted = here.searchParams.get("deleted"); // on its own page, a moment ago
if (deleted) {
  here.searchParams.delete("deleted");
  history.replaceState(null, "", here);
  offerUndo(gettext("Document deleted."), [deleted]);
}
