// Dialogs of the sources' pages: what to connect, and what becomes of documents.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog").close();
});
