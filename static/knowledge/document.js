// The page of a document: its reader, and a question before it is deleted.
import "../js/away.js";
import { confirmAction } from "../js/dialog.js";
import "./reader.js";

document.addEventListener("submit", async (event) => {
  const { confirm, confirmText, confirmYes } = event.target.dataset;
  if (!confirm) return;
  event.preventDefault();
  const sure = await confirmAction({ title: confirm, text: confirmText, yes: confirmYes });
  if (sure) event.target.submit();
});
