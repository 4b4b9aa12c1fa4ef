// Short messages in the corner; announced politely, dismissed by hand or after a while.
const LIFE_MS = 6000;

/**
 * @param {string} text
 * @param {{kind?: "bad", label?: string, action?: () => void, life?: number}} [options] a button
 *   beside the text; how many milliseconds it stays (Infinity: until it is dismissed)
 */
export function toast(text, { kind, label, action, life = LIFE_MS } = {}) {
  const template = document.getElementById("toast-template");
  const box = template.content.firstElementChild.cloneNode(true);
  box.querySelector("[data-text]").textContent = text;
  if (kind) box.classList.add(kind);
  const button = box.querySelector("[data-action]");
  if (label) {
    button.hidden = false;
    button.textContent = label;
    button.addEventListener("click", () => {
      box.remove();
      action();
    });
  }
  box.querySelector("[data-close]").addEventListener("click", () => box.remove());
  document.getElementById("toasts").append(box);
  if (Number.isFinite(life)) expire(box, life);
}

function expire(box, life) {
  const timer = setTimeout(() => {
    if (box.matches(":hover, :focus-within")) expire(box, LIFE_MS);
    else box.remove();
  }, life);
  box.querySelector("[data-close]").addEventListener("click", () => clearTimeout(timer));
}
