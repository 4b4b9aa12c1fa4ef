// Copies the new token and what connects programs, and asks before one is revoked.
import { confirmAction } from "../js/dialog.js";
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast(gettext("Copied."));
  } catch {
    toast(gettext("The browser does not allow copying. The text is selected: press Ctrl+C."));
  }
}

async function revoke(button) {
  const sure = await confirmAction({
    title: fill(gettext("Revoke “%(name)s”?"), { name: button.dataset.name }),
    text: gettext("Programs that use it will be refused from now on."),
    yes: gettext("Revoke"),
  });
  if (!sure) return;
  await window.htmx.ajax("POST", button.dataset.revoke, { target: "#tokens", swap: "outerHTML" });
}

document.addEventListener("click", (event) => {
  const copying = event.target.closest("[data-copy]");
  if (copying) copy(document.getElementById(copying.dataset.copy));
  const revoking = event.target.closest("[data-revoke]");
  if (revoking) revoke(revoking);
});
document.addEventListener("htmx:afterSwap", () => {
  document.getElementById("new-token")?.focus();
});
