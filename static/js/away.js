// Links in an answer that lead to another site: the full address is shown before it is opened,
// since a model may have been told to put what it read into an address.
const dialog = document.getElementById("away-dialog");

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.away");
  if (!link || !dialog) return;
  event.preventDefault();
  dialog.querySelector("[data-address]").textContent = link.dataset.url;
  dialog.querySelector("[data-open]").href = link.dataset.url;
  dialog.showModal();
});

dialog?.querySelector("[data-open]").addEventListener("click", () => dialog.close());
