// The chat page: puts composer, thread, socket and sources together.
import "../js/away.js";
import { refreshHistory } from "../js/history.js";
import { gettext } from "../js/i18n.js";
import { Socket } from "../js/socket.js";
import { toast } from "../js/toast.js";
import { answerOf, sourceCount } from "./answer.js";
import { Composer } from "./composer.js";
import { offerLater, offerNewVersion, signInAgain, watchConnection } from "./connection.js";
import { editQuestion } from "./editing.js";
import { Follower } from "./follow.js";
import { keepInStep } from "./in-step.js";
import { Notifier } from "./notify.js";
import "./menus.js";
import { chosenAgent, chosenCollections, endOnce } from "./pickers.js";
import { closeSources, isOpen, offerSources, openSources } from "./sources.js";
import { offerTakeaway } from "./takeaway.js";
import {
  appendAnswer,
  appendQuestion,
  cutFrom,
  drawStored,
  fetchThread,
  leafId,
  list,
} from "./thread.js";

const scroller = document.getElementById("thread");
const status = document.getElementById("answer-status");
const canWrite = document.getElementById("composer") !== null;

let conversation = scroller.dataset.conversation ?? null;
let running = null; // the answer being written
const refused = new Map(); // by text: sends that question again, once in all
document.body.dataset.katex = scroller.dataset.katex;

const socket = new Socket("/ws/");
const follower = new Follower(scroller, list, document.getElementById("to-end"));
const composer = canWrite
  ? new Composer({
      onSend: (text) => (refused.get(text) ?? (() => ask({ text, parent: leafId() })))(),
      onStop: stop,
      onUp: editLast,
    })
  : null;
const hooks = { onEnd: ended };
const notifier = new Notifier();
const step = keepInStep(socket, {
  conversation: () => conversation,
  isBusy: () => running !== null,
  draw: () => drawStored({ hooks, resume }),
});

const choices = () => ({ agent: chosenAgent(), collections: chosenCollections() });

/** Names one sending of a question; randomUUID() exists on https and localhost only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function setRunning(answer) {
  running = answer;
  composer?.setRunning(answer !== null);
}

/** Follows the turn of an answer from the first event; what is already shown comes first. */
function watch(answer, turn) {
  answer.el.dataset.turn = turn;
  setRunning(answer);
  notifier.begin();
  status.textContent = gettext("Answering");
  socket.watch(turn, (kind, data) => answer.apply(kind, data));
}

function ended(answer) {
  if (answer !== running) return offerNewest();
  socket.unwatch(answer.el.dataset.turn);
  setRunning(null);
  offerNewest();
  const count = answer.citations.length ? answer.sources.length : 0;
  const said = [gettext("Answer ready"), count ? sourceCount(count) : ""];
  status.textContent = said.filter(Boolean).join(", ");
  refreshHistory();
  step.ended();
  notifier.end(answer.text);
}

function offerNewest() {
  const answers = [...list.querySelectorAll(".answer")].map(answerOf).filter(Boolean);
  offerSources(answers.findLast(({ citations }) => citations.length) ?? null);
}

/** Sends a question; the page shows it at once and takes it back if the server refuses. */
async function ask({ text, parent, id = newId(), chosen = choices() }) {
  endOnce();
  const question = appendQuestion(text, parent);
  const answer = appendAnswer(hooks);
  setRunning(answer);
  follower.toEnd();
  try {
    const accepted = await socket.startTurn({ id, conversation, parent, text, ...chosen });
    begun(accepted, question, answer);
  } catch (error) {
    answer.el.remove();
    setRunning(null);
    showProblem(question, error.message, text, () => ask({ text, parent, id, chosen }));
  }
}

function begun(accepted, question, answer) {
  delete question.dataset.pending;
  question.dataset.message = accepted.question_id;
  answer.el.dataset.message = accepted.message_id;
  answer.el.dataset.question = accepted.question_id;
  if (!conversation) enter(accepted.conversation_id, question);
  watch(answer, accepted.turn_id);
}

/** The new conversation gets its address without a reload. */
function enter(id, question) {
  conversation = id;
  history.replaceState(null, "", `/c/${id}`);
  const title = question.querySelector("[data-text]").textContent.slice(0, 60);
  document.title = `${title} · Parley`;
  document.getElementById("conversation-title").textContent = title;
  composer.useConversation(id);
  composer.useFollowUp();
  offerTakeaway(id);
  refreshHistory();
}

/**
 * The text stays in the thread, with what went wrong and a button to try again; and in the
 * message box, where it outlives the page.
 */
function showProblem(question, problem, text, again) {
  const box = question.querySelector("[data-problem]");
  const retry = () => {
    refused.delete(text);
    composer.takeBack(text);
    question.remove();
    again();
  };
  refused.set(text, retry);
  composer.giveBack(text);
  delete question.dataset.pending;
  box.hidden = false;
  box.querySelector("[data-problem-text]").textContent = problem;
  box.querySelector("[data-resend]").addEventListener("click", retry);
  offerLater(socket, box.querySelector("[data-later]"), retry);
  status.textContent = problem;
}

function stop() {
  if (running?.el.dataset.turn) socket.stopTurn(running.el.dataset.turn);
}

/** Asks again as another version: of a question (new text) or of an answer (same question). */
async function askAgain(frame, cutAt) {
  cutFrom(cutAt);
  if (frame.text) appendQuestion(frame.text, frame.parent);
  setRunning(appendAnswer(hooks));
  follower.toEnd();
  try {
    await socket.startTurn({ id: newId(), conversation, ...choices(), ...frame });
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if (frame.text) composer.fill(frame.text);
  }
  setRunning(null);
  await showPath();
}

async function showPath(message) {
  try {
    await fetchThread(conversation, message);
    drawStored({ hooks, resume });
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

function resume(answer) {
  if (answer.el.dataset.turn) watch(answer, answer.el.dataset.turn);
}

function edit(question) {
  if (running) return;
  editQuestion(question, (text) => askAgain({ text, parent: question.dataset.parent || null }, question));
}

function editLast() {
  const questions = list.querySelectorAll(".user");
  if (questions.length) edit(questions[questions.length - 1]);
}

function regenerate(answerEl) {
  if (!running) askAgain({ question: answerEl.dataset.question }, answerEl);
}

/** A half-written edit would go with the page: it becomes the draft, unless there is one. */
function leaveToSignIn() {
  const edited = list.querySelector(".edit textarea")?.value.trim();
  if (edited) composer?.giveBack(edited);
  signInAgain();
}

async function copy(text) {
  await navigator.clipboard.writeText(text);
  toast(gettext("Copied"));
}

const CLICKS = {
  "a.cite": (chip) => {
    const answer = answerOf(chip.closest(".answer"));
    openSources(answer, chip.textContent, chip);
  },
  "[data-sources]": (button) => openSources(answerOf(button.closest(".answer")), null, button),
  "[data-copy-code]": (button) => copy(button.closest(".code").querySelector("code").textContent),
  "[data-copy]": (button) => {
    const answer = answerOf(button.closest(".answer"));
    copy(answer ? answer.text : button.closest(".user").querySelector("[data-text]").textContent);
  },
  "[data-version]": (button) => showPath(button.dataset.version),
  "[data-edit]": (button) => edit(button.closest(".user")),
  "[data-regenerate]": (button) => regenerate(button.closest(".answer")),
};

list.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(CLICKS)) {
    const target = event.target.closest(selector);
    if (!target) continue;
    event.preventDefault();
    act(target);
    return;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (isOpen()) closeSources();
  else stop();
});

watchConnection(socket, { onBack: step.catchUp, onSignedOut: leaveToSignIn });
socket.addEventListener("version", ({ detail }) => offerNewVersion(detail));
socket.addEventListener("reload", () => {
  setRunning(null);
  showPath();
});

for (const starter of document.querySelectorAll("[data-starter]")) {
  starter.addEventListener("click", () => {
    ask({ text: starter.querySelector("[data-question]").textContent, parent: null });
  });
}
composer?.useConversation(conversation);
composer?.restoreDraft();
if (!conversation && matchMedia("(hover: hover)").matches) composer.focus(); // no keyboard on phones
drawStored({ hooks, resume });
const found = list.querySelector(`[data-message="${new URL(location).searchParams.get("at")}"]`);
if (found) follower.show(found);
else follower.toEnd();
