// The dialog in which a conversation is shared: its contents are the server's, every form in it
// answers them anew.
import { copyText } from "./clipboard.js";
import { refreshHistory } from "./history.js";
import { fetchFragment } from "./http.js";

const dialog = document.getElementById("share-dialog");
const body = dialog?.querySelector("[data-body]");

/** Opens the dialog for a conversation that is the person's own. Throws RequestFailed. */
export async function openSharing(conversation) {
  body.replaceChildren(await fetchFragment(`/c/${conversation}/sharing`));
  window.htmx.process(body);
  dialog.showModal();
}

if (dialog) {
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    body.replaceChildren(); // an address that was shown once
    refreshHistory().catch(() => {});
  });
  body.addEventListener("click", ({ target }) => {
    if (target.closest("[data-copy-link]")) copyText(document.getElementById("new-link").value);
  });
  body.addEventListener("htmx:afterSwap", () => document.getElementById("new-link")?.select());
}
