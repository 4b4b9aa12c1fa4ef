// What a key press means: for an input method, for a field, for a shortcut.

/** True while an input method is choosing characters; Safari reports only the key code. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";
const OPEN = "dialog[open], [popover]:popover-open";

/** Whether keys belong to what has the focus: a field, a dialog, a menu. */
export function isTaken(event) {
  return event.target.closest?.(FIELDS) != null || document.querySelector(OPEN) !== null;
}
