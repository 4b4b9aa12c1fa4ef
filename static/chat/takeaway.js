// Taking the conversation on the page away: as a file or on paper.
import { printAll } from "./stretches.js";

const menu = document.getElementById("more-menu");

/** The menu appears with the first question; before there is nothing to take away. */
export function offerTakeaway(id) {
  for (const link of menu.querySelectorAll("[data-export]")) {
    link.href = `/api/v1/conversations/${id}/export?format=${link.dataset.export}`;
  }
  document.getElementById("more").hidden = false;
}

menu.querySelector("[data-print]").addEventListener("click", () => {
  menu.hidePopover();
  printAll();
});
menu.addEventListener("click", ({ target }) => target.closest("a") && menu.hidePopover());
