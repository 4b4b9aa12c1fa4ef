// An answer whose sources have changed since says so; its button asks again.
import { fill, ngettext } from "../js/i18n.js";

/** Draws the mark below the answer; nothing where no cited passage has changed. */
export function markStale(answer, numbers) {
  const template = document.getElementById("stale-template");
  if (!numbers.length || !template || answer.querySelector("[data-mark=stale]")) return;
  const mark = template.content.firstElementChild.cloneNode(true);
  mark.dataset.mark = "stale";
  const told = ngettext(
    "A source has changed since: %(numbers)s",
    "Sources have changed since: %(numbers)s",
    numbers.length,
  );
  mark.querySelector("[data-label]").textContent = fill(told, { numbers: numbers.map((n) => `[${n}]`).join(" ") });
  answer.querySelector("[data-actions]").before(mark);
}
