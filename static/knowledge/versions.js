// A new version of a document: one file, sent as it is chosen; then the document shows how far it is.
import { csrfToken } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const picker = document.getElementById("version-file");

async function send(file) {
  const body = new FormData();
  body.append("file", file);
  const { url, document: page } = picker.dataset;
  try {
    const response = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
    const answer = await response.json();
    if (!response.ok) return toast(answer.detail, { kind: "bad" });
    if (answer.outcome === "unchanged") return toast(gettext("The document has this content already."));
    location.assign(page);
  } catch {
    toast(gettext("The file could not be sent. Try again."), { kind: "bad" });
  }
}

picker?.addEventListener("change", async () => {
  const [file] = picker.files;
  if (!file) return;
  document.body.toggleAttribute("data-sending-version", true);
  await send(file);
  document.body.removeAttribute("data-sending-version");
  picker.value = "";
});
document.querySelector("[data-choose-version]")?.addEventListener("click", () => picker.click());
