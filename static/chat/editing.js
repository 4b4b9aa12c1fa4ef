// Editing a question in place: asks again from there, as another version.
import { isComposing } from "./composer.js";

/** Opens the editor in a question; `onSave(text)` is called when the text was changed. */
export function editQuestion(el, onSave) {
  if (el.classList.contains("editing")) return;
  const form = document.getElementById("edit-template").content.firstElementChild.cloneNode(true);
  const box = form.querySelector("textarea");
  const text = el.querySelector("[data-text]").textContent;
  const close = () => {
    form.remove();
    el.classList.remove("editing");
    el.querySelector("[data-edit]").focus();
  };
  const save = () => {
    const changed = box.value.trim();
    close();
    if (changed) onSave(changed);
  };
  box.value = text;
  form.querySelector("[data-cancel]").addEventListener("click", close);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  form.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && !event.shiftKey && event.target === box) {
      event.preventDefault();
      save();
    }
  });
  el.classList.add("editing");
  el.append(form);
  box.focus();
  box.setSelectionRange(text.length, text.length);
}
