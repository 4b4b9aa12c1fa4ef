// Changes the words of a memory in place.
import { promptText } from "../js/dialog.js";
import { gettext } from "../js/i18n.js";

async function edit({ edit: url, text: value }) {
  const text = await promptText({ title: gettext("What should be remembered?"), value });
  if (text === null || text === value) return;
  await window.htmx.ajax("POST", url, { target: "#memories", swap: "outerHTML", values: { text } });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-edit]");
  if (button) edit(button.dataset);
});
