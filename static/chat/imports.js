// Uploading an export: refused before it is sent when it is too large, with its progress after.
import { refreshHistory } from "../js/history.js";
import { toast } from "../js/toast.js";

const form = document.getElementById("import-form");
const file = form.querySelector("input[type=file]");
const progress = form.querySelector("progress");

form.addEventListener("htmx:beforeRequest", (event) => {
  if (file.files[0]?.size > Number(form.dataset.max) * 2 ** 20) {
    event.preventDefault();
    toast(form.dataset.tooLarge, { kind: "bad" });
    return;
  }
  progress.hidden = false;
});
form.addEventListener("htmx:xhr:progress", ({ detail: { loaded, total } }) => {
  if (total) progress.value = (100 * loaded) / total;
});
form.addEventListener("htmx:afterRequest", ({ detail }) => {
  progress.hidden = true;
  progress.value = 0;
  if (detail.successful) form.reset();
});

// The sidebar shows what an import has brought.
let wasImporting = false;
document.addEventListener("htmx:afterSettle", () => {
  const isImporting = document.querySelector(".import[data-state=importing]") !== null;
  if (wasImporting && !isImporting) refreshHistory().catch(() => {});
  wasImporting = isImporting;
});
