// Editing a question in place: asks again from there, as another version. What is half written
// outlives the page, until it is sent or cancelled.
import { isComposing } from "./composer.js";

/** Opens the editor in a question; `onSave(text)` gets the text to be asked, changed or not. */
export function editQuestion(el, onSave) {
  if (el.classList.contains("editing")) return;
  const form = document.getElementById("edit-template").content.firstElementChild.cloneNode(true);
  const box = form.querySelector("textarea");
  const text = el.querySelector("[data-text]").textContent;
  const key = `edit:${el.dataset.message}`;
  const close = () => {
    sessionStorage.removeItem(key);
    form.remove();
    el.classList.remove("editing");
    el.querySelector("[data-edit]").focus();
  };
  const save = () => {
    const changed = box.value.trim();
    close();
    if (changed || el.querySelector("[data-attachment]")) onSave(changed);
  };
  box.value = sessionStorage.getItem(key) ?? text;
  box.addEventListener("input", () => sessionStorage.setItem(key, box.value));
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
  box.setSelectionRange(box.value.length, box.value.length);
}
