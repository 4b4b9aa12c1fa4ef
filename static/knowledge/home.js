// The dialog that makes a collection; it comes back open when the form had an error.
const dialog = document.getElementById("new-collection");

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-open="new-collection"]')) dialog.showModal();
  if (event.target.closest("[data-close-dialog]")) dialog.close();
});
if ("show" in dialog.dataset) dialog.showModal();
