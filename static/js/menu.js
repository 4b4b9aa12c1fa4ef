// Places `.menu` popovers beside the button that opens them and moves through them by arrow keys.
import "./menu-find.js";

const GAP = 6;
let opener = null;

const items = (menu) => [...menu.querySelectorAll(".menu-item:not([hidden], :disabled)")];

/** Opens a menu from a button that does not use `popovertarget`. */
export function openMenu(menu, button) {
  opener = button;
  menu.showPopover();
}

function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(8, Math.min(at.left, innerWidth - width - 8));
  const below = at.bottom + GAP + height <= innerHeight;
  const top = below ? at.bottom + GAP : Math.max(8, at.top - GAP - height);
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function toggled(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLElement) || !menu.matches(".menu[popover]")) return;
  const button = document.querySelector(`[popovertarget="${menu.id}"]`) ?? opener;
  const open = event.newState === "open";
  button?.setAttribute("aria-expanded", String(open));
  if (open && button) {
    place(menu, button);
    (menu.querySelector("[data-find]") ?? items(menu)[0])?.focus();
  } else if (menu.contains(document.activeElement)) {
    button?.focus();
  }
}

function moved(event) {
  const menu = event.target.closest?.(".menu[popover]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  event.preventDefault();
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  all.at(at < 0 && step < 0 ? -1 : (at + step) % all.length)?.focus();
}

document.addEventListener("toggle", toggled, true);
document.addEventListener("keydown", moved);
