// Copying text, also where the browser's own interface is missing: on plain http.
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";

/** Copies and says so. */
export async function copyText(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyBySelection(text);
  toast(gettext("Copied"));
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const box = document.createElement("textarea");
  box.className = "sr";
  box.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
  focused?.focus();
}
