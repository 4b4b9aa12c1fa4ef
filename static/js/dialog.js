// The two questions a page asks: "are you sure?" and "what should it be called?".

function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Resolves to true only when the person pressed the button labelled `yes`; it is red unless `tone`
    is "primary". */
export function confirmAction({ title, text, yes, tone = "danger outline" }) {
  const dialog = document.getElementById("confirm-dialog");
  const button = dialog.querySelector("[data-yes]");
  dialog.querySelector("[data-title]").textContent = title;
  dialog.querySelector("[data-text]").textContent = text;
  button.textContent = yes;
  button.className = `btn ${tone}`;
  return ask(dialog);
}

/** Resolves to the trimmed text, or null when cancelled. */
export async function promptText({ title, value }) {
  const dialog = document.getElementById("prompt-dialog");
  const input = dialog.querySelector("input");
  dialog.querySelector("[data-title]").textContent = title;
  input.value = value;
  const saved = ask(dialog);
  input.select();
  // Enter in a one-line form presses the first button, which is "Cancel".
  const enter = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (input.reportValidity()) dialog.close("yes");
  };
  input.addEventListener("keydown", enter);
  const result = await saved;
  input.removeEventListener("keydown", enter);
  return result ? input.value.trim() : null;
}
