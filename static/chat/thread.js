// The list of messages: made by the server, continued by cloning the same markup.
import { fetchFragment } from "../js/http.js";
import { Answer } from "./answer.js";

export const list = document.getElementById("messages");
const idle = window.requestIdleCallback ?? ((run) => setTimeout(run, 16));
const SCREENS = 2;
const LINE = { height: 27, characters: 90 };
const AROUND = 150; // a question and what is below an answer

const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Adds a question at the end; `data-pending` until the server has accepted it. */
export function appendQuestion(text, parent) {
  document.getElementById("welcome")?.remove();
  const el = clone("question-template");
  el.querySelector("[data-text]").textContent = text;
  el.dataset.parent = parent ?? "";
  el.dataset.pending = "";
  list.append(el);
  return el;
}

/** Adds an answer that is being waited for. */
export function appendAnswer(hooks) {
  const el = clone("answer-template");
  el.dataset.drawn = "yes";
  el.dataset.mine = "";
  list.append(el);
  const answer = new Answer(el, hooks);
  answer.begin();
  return answer;
}

const undrawn = () => [...list.querySelectorAll(".answer:not([data-drawn])")];

/** Draws an answer; returns about how many pixels high it is. */
function draw(el, { hooks, resume }) {
  el.dataset.drawn = "yes";
  const answer = new Answer(el, hooks);
  if (answer.isRunning) {
    answer.begin();
    resume(answer);
    return AROUND;
  }
  const data = JSON.parse(el.querySelector("script[type='application/json']").textContent);
  answer.restore(data);
  return AROUND + (data.text.length / LINE.characters) * LINE.height;
}

function nearestFirst(answers, place) {
  const follows = (el) => place.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING;
  const at = answers.filter((el) => !follows(el)).length - 0.5;
  const ranked = answers.map((el, n) => ({ el, far: Math.abs(n - at) }));
  return ranked.sort((one, other) => one.far - other.far).map(({ el }) => el);
}

/**
 * Draws the answers that the server put into the page as data: at once what fills the screen at
 * `place`, the others when the browser is idle. Answers still being written are handed to `resume`.
 */
export function drawStored(page, place = list.lastElementChild) {
  const queue = nearestFirst(undrawn(), place);
  for (let height = 0; queue.length && height < SCREENS * innerHeight; ) {
    height += draw(queue.shift(), page);
  }
  const next = () => {
    let el = queue.shift();
    while (el && (el.dataset.drawn || !el.isConnected)) el = queue.shift();
    if (!el) return;
    draw(el, page);
    idle(next);
  };
  idle(next);
}

/** Draws everything that is still waiting for that, now: for paper and for the browser's search. */
export function drawRest(page) {
  for (const el of undrawn()) draw(el, page);
}

/** Fetches the shown path again; with `message`, the path through it is shown from now on. */
export async function fetchThread(conversation, message) {
  const url = `/c/${conversation}/thread`;
  const options = message ? { method: "POST", body: new URLSearchParams({ message }) } : {};
  list.replaceChildren(await fetchFragment(url, options));
}

/** Removes `el` and everything after it. */
export function cutFrom(el) {
  while (el.nextElementSibling) el.nextElementSibling.remove();
  el.remove();
}

/** Id of the last message on the page, or null. */
export const leafId = () => list.lastElementChild?.dataset.message || null;
