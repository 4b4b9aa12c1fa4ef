// A field above a long menu that narrows it: `<input data-find>` before the items.
import { isComposing } from "./keys.js";
import { rank } from "./matching.js";

const itemsOf = (menu) => [...menu.querySelectorAll(".menu-item:has([data-name])")];

function narrow(field) {
  for (const item of itemsOf(field.closest(".menu"))) {
    const name = item.querySelector("[data-name]").textContent;
    const detail = item.querySelector("small")?.textContent ?? "";
    item.hidden = rank(field.value, { name, detail }) === Infinity;
  }
}

document.addEventListener("input", ({ target }) => target.matches?.("[data-find]") && narrow(target));
document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("[data-find]");
  if (!field || event.key !== "Enter" || isComposing(event)) return;
  event.preventDefault(); // the composer's form is not sent
  itemsOf(field.closest(".menu")).find((item) => !item.hidden)?.click();
});
document.addEventListener(
  "toggle",
  ({ target, newState }) => {
    const field = newState === "closed" && target.querySelector?.("[data-find]");
    if (!field) return;
    field.value = "";
    narrow(field);
  },
  true,
);
