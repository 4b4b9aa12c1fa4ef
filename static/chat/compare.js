// Answers side by side: who is compared by the next questions, and the columns they write in.
import { sendJson } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";
import { icon } from "../js/icon.js";
import { Answer } from "./answer.js";
import { agentChoices, chooseSeveral, limitText, modelChoices } from "./choosing.js";
import { chosenModel, pickModel } from "./models.js";
import { chosenAgent, pickAgent } from "./pickers.js";
import { list } from "./thread.js";

const MOST = 3;
const strip = document.getElementById("comparing");
const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
let compared = [];

/** Who answers the next question side by side; empty when one answers alone. */
export const comparedChoices = () => compared;

/** The menu's entry asks who is compared; the strip in the message box says so until it is ended. */
export function offerComparison() {
  document.querySelector("[data-compare]")?.addEventListener("click", async () => {
    document.getElementById("agent-menu").hidePopover();
    const choices = [...modelChoices(), ...agentChoices()];
    const current = chosenModel() ? `model:${chosenModel()}` : `agent:${chosenAgent()}`;
    const chosen = await chooseSeveral({
      title: gettext("Compare answers"),
      text: limitText(MOST),
      yes: gettext("Compare"),
      choices,
      ticked: compared.length ? compared.map(({ id }) => id) : [current],
      most: MOST,
    });
    if (chosen.length) setCompared(chosen);
    document.getElementById("message")?.focus();
  });
}

function setCompared(choices) {
  compared = choices.length > 1 ? choices : [];
  strip.hidden = !compared.length;
  strip.querySelector("[data-names]").replaceChildren(...compared.map(chip));
}

function chip(choice) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const name = document.createElement("span");
  item.className = "chip on";
  name.className = "clip";
  name.textContent = choice.name;
  button.type = "button";
  button.append(icon("x"));
  button.setAttribute("aria-label", fill(gettext("Take away %(name)s"), { name: choice.name }));
  button.addEventListener("click", () => {
    setCompared(compared.filter((other) => other !== choice));
    document.getElementById("message").focus();
  });
  item.append(name, button);
  return item;
}

/** Columns that are being waited for, one for each choice; their answers. */
export function appendComparison(choices, hooks) {
  const el = clone("compare-template");
  const columns = el.querySelector("[data-columns]");
  const answers = choices.map((choice) => {
    const column = clone("answer-template");
    const head = clone("column-head-template");
    head.querySelector("[data-label]").textContent = choice.name;
    column.classList.add("column");
    column.dataset.drawn = "yes";
    column.dataset.byAgent = choice.agent ?? "";
    column.dataset.byModel = choice.model;
    column.querySelector("[data-speaker]").after(head);
    columns.append(column);
    const answer = new Answer(column, hooks);
    answer.begin();
    return answer;
  });
  el.dataset.status = "running";
  list.append(el);
  prepare(el);
  return answers;
}

/** The comparison an answer is a column of. */
export const comparisonOf = (el) => el.closest(".compare");

/** Tabs for narrow screens; they follow the column that was swiped to. */
export function prepareComparisons() {
  for (const el of list.querySelectorAll(".compare:not([data-prepared])")) prepare(el);
}

function prepare(el) {
  el.dataset.prepared = "yes";
  const columns = [...el.querySelectorAll(".answer")];
  const scroller = el.querySelector("[data-columns]");
  const tabs = columns.map((column, n) => tab(column, n, scroller));
  el.querySelector("[data-tabs]").replaceChildren(...tabs);
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) tabs.forEach((one, n) => one.setAttribute("aria-pressed", String(columns[n] === target)));
    }
  }, { root: scroller, threshold: 0.6 });
  columns.forEach((column) => seen.observe(column));
}

function tab(column, n, scroller) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = column.querySelector("[data-label]")?.textContent || String(n + 1);
  button.setAttribute("aria-pressed", String(n === 0));
  button.addEventListener("click", () => scroller.scrollTo({ left: column.offsetLeft - scroller.offsetLeft }));
  return button;
}

/** A comparison is over for the page's book-keeping when its last answer has ended. */
export function columnEnded(answer) {
  const el = comparisonOf(answer.el);
  if (!el) return;
  el.dataset.message = el.querySelector(".answer").dataset.message;
  if (!el.querySelector(".answer[data-status=running]")) el.dataset.status = "comparing";
}

/** Goes on with this answer: later questions go to whoever gave it. */
export async function choose(answerEl) {
  await sendJson("POST", `/api/v1/messages/${answerEl.dataset.message}/choose`);
  const { byAgent, byModel } = answerEl.dataset;
  if (byAgent) pickAgent(byAgent);
  pickModel(byModel ?? "");
  setCompared([]);
}

