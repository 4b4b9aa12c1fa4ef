// Which model answers: the agent's own, or one that the person chose in the agent's menu.
import { recentFirst, remember } from "../js/recent.js";

const items = [...document.querySelectorAll("[data-model]")];
const label = document.getElementById("model-label");
const ticked = (item) => item.getAttribute("aria-checked") === "true";

/** Its name, empty for the agent's own; undefined when there is no choice. */
export const chosenModel = () => items.find(ticked)?.dataset.model;

/** Models to choose from, those used lately first; none when only one is connected. */
export const models = () =>
  recentFirst("model", items.slice(1).map(({ dataset }) => ({ id: dataset.model, name: dataset.model })));

export function pickModel(name) {
  if (!items.length) return;
  const chosen = items.find(({ dataset }) => dataset.model === name) ?? items[0];
  for (const item of items) item.setAttribute("aria-checked", String(item === chosen));
  show();
}

function show() {
  label.textContent = chosenModel() || "";
  label.hidden = !chosenModel();
}

const menu = document.getElementById("agent-menu");
if (items.length) {
  items[0].after(...recentFirst("model", items.slice(1), ({ dataset }) => dataset.model));
  for (const item of items) {
    item.addEventListener("click", () => {
      pickModel(item.dataset.model);
      if (item.dataset.model) remember("model", item.dataset.model);
      menu.hidePopover();
    });
  }
  // An agent comes with its model.
  for (const agent of document.querySelectorAll("[data-agent]")) {
    agent.addEventListener("click", () => pickModel(""));
  }
  show();
}

