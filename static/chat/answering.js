// Answers that are being written: they are followed to their end, also from where a page left off.
import { gettext } from "../js/i18n.js";
import { refreshSoon } from "../js/tabs.js";
import { toast } from "../js/toast.js";
import { announce } from "./announce.js";
import { sourceCount } from "./answer-words.js";
import { answerOf } from "./answer.js";
import { columnEnded, prepareComparisons } from "./compare.js";
import { keepInStep } from "./in-step.js";
import { Notifier } from "./notify.js";
import { offerSources } from "./sources.js";
import { running, socket, talk } from "./talk.js";
import { drawStored, fetchThread, list } from "./thread.js";

export const hooks = { onEnd: ended };
const notifier = new Notifier();
export const step = keepInStep(socket, {
  conversation: () => talk.conversation,
  isBusy: () => [...running].some(({ el }) => !el.dataset.turn), // not accepted yet
  draw,
  composer: () => talk.composer,
});

export function begin(...answers) {
  for (const answer of answers) running.add(answer);
  talk.composer?.setRunning(true);
}

export function settle(...answers) {
  for (const answer of answers) running.delete(answer);
  talk.composer?.setRunning(running.size > 0);
}

/** Draws what is new on the page, from `place` on; what is not on it any more is not waited for. */
export function draw(place) {
  settle(...[...running].filter(({ el }) => !el.isConnected));
  prepareComparisons();
  drawStored({ hooks, resume }, place);
}

/** Follows the turn of an answer from the first event; what is already shown comes first. */
export function watch(answer, turn) {
  answer.el.dataset.turn = turn;
  begin(answer);
  notifier.begin();
  announce(gettext("Answering"), { stays: true });
  socket.watch(turn, (kind, data) => {
    answer.apply(kind, data);
    answer.hear?.(kind, data);
    if (data.takes_notes && "mine" in answer.el.dataset) import("./steering.js").then(({ steer }) => steer(answer));
  });
}

function ended(answer) {
  if (!running.has(answer)) return offerNewest();
  socket.unwatch(answer.el.dataset.turn);
  settle(answer);
  columnEnded(answer);
  offerNewest();
  if (running.size) return;
  const count = answer.citations.length ? answer.sources.length : 0;
  const said = [gettext("Answer ready"), count ? sourceCount(count) : ""];
  announce(said.filter(Boolean).join(", "));
  refreshSoon();
  step.ended();
  notifier.end(answer.text);
}

function offerNewest() {
  let el = list.lastElementChild;
  while (el && !answerOf(el)?.citations.length) el = el.previousElementSibling;
  offerSources(el && answerOf(el));
}

export async function showPath(message) {
  try {
    await fetchThread(talk.conversation, message);
    const left = [...running].map(({ el }) => el.dataset.turn);
    settle(...running); // those that are on the new path are taken up again
    draw();
    const followed = new Set([...running].map(({ el }) => el.dataset.turn));
    for (const turn of left) if (turn && !followed.has(turn)) socket.unwatch(turn);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

export function resume(answer) {
  if (answer.el.dataset.turn) watch(answer, answer.el.dataset.turn);
}
