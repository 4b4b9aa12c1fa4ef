// The documents of a collection: actions of a row, the preview of passages, end of indexing.
import { confirmAction } from "../js/dialog.js";
import { gettext } from "../js/i18n.js";
import { openMenu } from "../js/menu.js";
import { toast } from "../js/toast.js";
import "./bulk.js";
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
  const sure = await confirmAction({
    title: gettext("Delete this document?"),
    text: row.dataset.title,
    yes: gettext("Delete"),
  });
  if (sure) await post(row.dataset.deleteUrl);
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
document.addEventListener("indexing-finished", (event) => toast(event.detail.value));
