// A dialog to choose among agents and models: one of them at a click, or two or three to compare.
import { fill, gettext } from "../js/i18n.js";
import { icon } from "../js/icon.js";
import { matching } from "../js/matching.js";
import { remember } from "../js/recent.js";
import { models } from "./models.js";
import { agents, chosenAgent } from "./pickers.js";

const SEARCHED_FROM = 8;
const dialog = document.getElementById("choice-dialog");
const part = (name) => dialog.querySelector(`[data-${name}]`);
const field = dialog?.querySelector("input[type=search]");

/**
 * @typedef {object} Choice who answers
 * @property {string} id one among all
 * @property {string} name
 * @property {string} [agent]
 * @property {string} model empty: the agent's own
 */

/** @returns {Choice[]} an agent with its own model */
export const agentChoices = () =>
  agents().map(({ id, name, detail }) => ({ id: `agent:${id}`, kind: "agent", name, detail, agent: id, model: "" }));

/** @returns {Choice[]} a model for the agent that is chosen */
export const modelChoices = () =>
  models().map(({ id, name }) => ({ id: `model:${id}`, kind: "model", name, detail: "", agent: chosenAgent(), model: id }));

/** What a question sent with this choice carries. */
export const carried = ({ agent, model }) => ({ agent, model });

/** Resolves to the choice, or to null when cancelled. */
export async function chooseOne({ title, text, choices }) {
  const [chosen] = await ask({ title, text, choices, most: 1, ticked: [] });
  return chosen ?? null;
}

/** Resolves to two or more choices, or to none when cancelled. */
export function chooseSeveral({ title, text, yes, choices, ticked, most }) {
  return ask({ title, text, yes, choices, ticked, most });
}

function ask({ title, text, yes = "", choices, most, ticked }) {
  const isSingle = most === 1;
  const chosen = new Set(ticked);
  part("title").textContent = title;
  part("text").textContent = text;
  part("search").hidden = choices.length < SEARCHED_FROM;
  part("yes").hidden = isSingle;
  part("yes").textContent = yes;
  field.value = "";
  const rows = new Map(choices.map((choice) => [choice.id, isSingle ? button(choice) : checkbox(choice, chosen)]));
  const draw = () => {
    const found = matching(field.value, choices);
    part("options").replaceChildren(...groups(found).flatMap(([name, some]) => [heading(name), ...some.map(({ id }) => rows.get(id))]));
    part("none").hidden = found.length > 0;
  };
  const weigh = () => {
    part("yes").disabled = chosen.size < 2;
    for (const row of rows.values()) {
      const box = row.querySelector("input");
      if (box) box.disabled = !box.checked && chosen.size >= most;
    }
  };
  const tick = ({ target }) => {
    if (target.type !== "checkbox") return;
    if (target.checked) chosen.add(target.value);
    else chosen.delete(target.value);
    weigh();
  };
  const pick = ({ target }) => {
    const row = target.closest("[data-choice]");
    if (row) dialog.close(row.dataset.choice);
  };
  draw();
  weigh();
  const act = new AbortController();
  field.addEventListener("input", draw, act);
  field.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault(), act);
  part("options").addEventListener("change", tick, act);
  part("options").addEventListener("click", pick, act);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      act.abort();
      const ids = isSingle ? [dialog.returnValue] : dialog.returnValue ? [...chosen] : [];
      const found = ids.map((id) => choices.find((choice) => choice.id === id)).filter(Boolean);
      for (const { kind, agent, model } of found) remember(kind, kind === "agent" ? agent : model);
      resolve(found);
    }, { once: true });
  });
}

function groups(choices) {
  const some = (kind) => choices.filter((choice) => choice.kind === kind);
  return [
    [gettext("Models"), some("model")],
    [gettext("Agents"), some("agent")],
  ].filter(([, found]) => found.length);
}

function heading(text) {
  const element = document.createElement("h3");
  element.textContent = text;
  return element;
}

function button(choice) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "menu-item";
  element.dataset.choice = choice.id;
  element.append(icon(choice.kind === "agent" ? "user" : "sparkles"), words(choice));
  return element;
}

function checkbox(choice, chosen) {
  const element = document.createElement("label");
  const box = document.createElement("input");
  element.className = "menu-item";
  Object.assign(box, { type: "checkbox", value: choice.id, checked: chosen.has(choice.id) });
  element.append(box, words(choice));
  return element;
}

function words({ name, detail }) {
  const element = document.createElement("span");
  element.className = "grow";
  element.append(name);
  if (detail) {
    const small = document.createElement("small");
    small.textContent = detail;
    element.append(small);
  }
  return element;
}

/** "2 of 3": how many may be compared. */
export const limitText = (most) => fill(gettext("Up to %(n)s answer the same question."), { n: most });
