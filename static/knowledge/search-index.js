// The page of the search index: a question before something begins, is switched or is dropped.
import { confirmAction } from "../js/dialog.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { confirm, confirmText, confirmYes } = form.dataset;
  if (!confirm) return;
  event.preventDefault();
  if (await confirmAction({ title: confirm, text: confirmText, yes: confirmYes })) form.submit();
});

// What is being decided on is not drawn anew under one's hands.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { activeElement } = document;
  if (document.querySelector("dialog[open]") || activeElement?.closest("#another")) {
    event.preventDefault();
  }
});
