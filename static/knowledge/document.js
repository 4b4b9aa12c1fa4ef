// Shows the marked passage, and asks before the document is deleted.
import { confirmAction } from "../js/dialog.js";

const passage = document.getElementById("passage");
if (passage) {
  passage.scrollIntoView({ block: "center" });
  passage.focus({ preventScroll: true });
}
// Only the list of passages moves: on a phone it stands below the text.
const current = document.querySelector(".chunk.current");
const list = current?.closest(".scroll");
if (list) list.scrollTop += current.getBoundingClientRect().top - list.getBoundingClientRect().top;

document.addEventListener("submit", async (event) => {
  const { confirm, confirmText, confirmYes } = event.target.dataset;
  if (!confirm) return;
  event.preventDefault();
  const sure = await confirmAction({ title: confirm, text: confirmText, yes: confirmYes });
  if (sure) event.target.submit();
});
