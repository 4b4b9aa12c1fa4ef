// Typing anywhere on the chat page goes into the message box.
import { isComposing, isTaken } from "../js/keys.js";
import { bind, hasSingleKeys } from "../js/shortcuts.js";

const box = document.getElementById("message");

/** A letter, not a command; Space and Enter belong to the button or region that has the focus. */
function isWriting(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  return isComposing(event) || (event.key.length === 1 && event.key !== " ");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || !box || !hasSingleKeys() || isTaken(event)) return;
  if (isWriting(event)) box.focus(); // the letter itself follows into the box
});

bind("copy-answer", () => {
  [...document.querySelectorAll("#messages .answer [data-copy]")].at(-1)?.click();
});
