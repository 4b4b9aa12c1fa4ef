// A form or a button with `data-confirm` asks before it is sent: its title, `data-confirm-text`,
// `data-confirm-yes`; `data-confirm-tone="primary"` where nothing is lost by it.
import { confirmAction } from "./dialog.js";

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  const { confirm, confirmText, confirmYes, confirmTone } = { ...form.dataset, ...submitter?.dataset };
  if (!confirm) return;
  event.preventDefault();
  if (!(await confirmAction({ title: confirm, text: confirmText, yes: confirmYes, tone: confirmTone }))) return;
  if (submitter?.name) {
    const said = Object.assign(document.createElement("input"), { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(said);
  }
  form.submit();
});
