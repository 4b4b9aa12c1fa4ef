// The chat page: puts composer, thread, socket and sources together.
import "../js/away.js";
import { copyText } from "../js/clipboard.js";
import { gettext } from "../js/i18n.js";
import { Socket } from "../js/socket.js";
import { refreshSoon } from "../js/tabs.js";
import { toast } from "../js/toast.js";
import { announce } from "./announce.js";
import { branchQuestion, offerAnswerMenu, openAnswerMenu } from "./answer-menu.js";
import { answerOf, sourceCount } from "./answer.js";
import { offerAsking } from "./asking.js";
import { carried } from "./choosing.js";
import { appendComparison, choose, columnEnded, comparedChoices, offerComparison, prepareComparisons } from "./compare.js";
import { Composer } from "./composer.js";
import { offerLater, offerNewVersion, signInAgain, watchConnection } from "./connection.js";
import { editQuestion } from "./editing.js";
import { Follower } from "./follow.js";
import { keepInStep } from "./in-step.js";
import { Notifier } from "./notify.js";
import "./menus.js";
import { chosenModel } from "./models.js";
import { foundMessage, openAt } from "./opening.js";
import { chosenAgent, chosenCollections, endOnce } from "./pickers.js";
import { previewCitations } from "./preview.js";
import { rate } from "./rating.js";
import { printFootnotes } from "./print.js";
import "./reading.js";
import { loadRenderer } from "./renderer.js";
import { filesOf, showFiles } from "./sent-files.js";
import { offerSharing } from "./share-button.js";
import { closeSources, isOpen, offerSources, openSources } from "./sources.js";
import { isEndMissing, loadStretches } from "./stretches.js";
import { offerTakeaway } from "./takeaway.js";
import { openWhy } from "./why.js";
import {
  beginTemporary, isTemporary, lifetime, offerTemporary, settleLifetime,
} from "./temporary.js";
import {
  appendAnswer,
  appendQuestion,
  cutFrom,
  drawRest,
  drawStored,
  fetchThread,
  leafId,
  list,
} from "./thread.js";

const scroller = document.getElementById("thread");
const canWrite = document.getElementById("composer") !== null;

let conversation = scroller.dataset.conversation ?? null;
const running = new Set(); // the answers being written: one, or those of a comparison
const refused = new Map(); // by text: sends that question again, once in all
document.body.dataset.katex = scroller.dataset.katex;

const socket = new Socket("/ws/");
const follower = new Follower(scroller, list, document.getElementById("to-end"));
const composer = canWrite
  ? new Composer({
      onSend: (text, files) => (refused.get(named(text, files)) ?? (() => askNext(text, files)))(),
      onStop: stop,
      onUp: editLast,
    })
  : null;
const hooks = { onEnd: ended };
const notifier = new Notifier();
const step = keepInStep(socket, {
  conversation: () => conversation,
  isBusy: () => [...running].some(({ el }) => !el.dataset.turn), // not accepted yet
  draw,
});

const choices = () => ({ agent: chosenAgent(), model: chosenModel(), collections: chosenCollections() });

/** Names one sending of a question; randomUUID() exists on https and localhost only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function begin(...answers) {
  for (const answer of answers) running.add(answer);
  composer?.setRunning(true);
}

function settle(...answers) {
  for (const answer of answers) running.delete(answer);
  composer?.setRunning(running.size > 0);
}

/** Draws what is new on the page, from `place` on; what is not on it any more is not waited for. */
function draw(place) {
  settle(...[...running].filter(({ el }) => !el.isConnected));
  prepareComparisons();
  drawStored({ hooks, resume }, place);
}

/** Follows the turn of an answer from the first event; what is already shown comes first. */
function watch(answer, turn) {
  answer.el.dataset.turn = turn;
  begin(answer);
  notifier.begin();
  announce(gettext("Answering"), { stays: true });
  socket.watch(turn, (kind, data) => answer.apply(kind, data));
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

/** Asks after the end of the conversation, which may not be on the page. */
async function askNext(text, files) {
  if (isEndMissing()) await showPath();
  await ask({ text, parent: leafId(), files });
}

const named = (text, files) => JSON.stringify([text, ...files.map(({ id }) => id)]);
const carriedFiles = (files) => (files.length ? { attachments: files.map(({ id }) => id) } : {});

/** Sends a question; the page shows it at once and takes it back if the server refuses. */
async function ask({ text, parent, files = [], id = newId(), chosen = choices(), columns = comparedChoices() }) {
  endOnce();
  const question = appendQuestion(text, parent);
  showFiles(question, files);
  const answers = columns.length ? appendComparison(columns, hooks) : [appendAnswer(hooks)];
  begin(...answers);
  follower.toEnd();
  try {
    const first = { ...lifetime(), ...(columns.length ? carried(columns[0]) : {}) };
    const accepted = await socket.startTurn({ id, conversation, parent, text, ...chosen, ...first, ...carriedFiles(files) });
    begun(accepted, question, answers[0]);
    const beside = { question: accepted.question_id, beside: accepted.message_id };
    columns.slice(1).forEach((choice, n) => askBeside({ ...beside, ...carried(choice) }, answers[n + 1]));
  } catch (error) {
    answers[0].el.closest("#messages > li").remove();
    settle(...answers);
    showProblem(question, error.message, text, files, () => ask({ text, parent, files, id, chosen, columns }));
  }
}

function begun(accepted, question, answer) {
  delete question.dataset.pending;
  question.dataset.message = accepted.question_id;
  if (!conversation) enter(accepted.conversation_id, question);
  follow(accepted, answer);
}

function follow(accepted, answer) {
  answer.el.dataset.message = accepted.message_id;
  answer.el.dataset.question = accepted.question_id;
  const comparison = answer.el.closest(".compare");
  if (comparison) comparison.dataset.message ||= accepted.message_id;
  watch(answer, accepted.turn_id);
}

/** The same question to somebody else, in the column that waits for it. */
async function askBeside(frame, answer) {
  try {
    const usual = { id: newId(), conversation, collections: chosenCollections() };
    follow(await socket.startTurn({ ...usual, ...frame }), answer);
  } catch (error) {
    settle(answer);
    toast(error.message, { kind: "bad" });
    if (answer.el.isConnected) await showPath();
  }
}

/** The new conversation gets its address without a reload. */
function enter(id, question) {
  conversation = id;
  history.replaceState(null, "", `/c/${id}`);
  composer.useConversation(id);
  composer.useFollowUp();
  settleLifetime();
  if (isTemporary()) return beginTemporary(id);
  const names = filesOf(question).map(({ name }) => name).join(", ");
  const title = (question.querySelector("[data-text]").textContent || names).slice(0, 60);
  document.title = `${title} · Parley`;
  document.getElementById("conversation-title").textContent = title;
  offerTakeaway(id);
  offerSharing(id);
  refreshSoon();
}

/**
 * The text stays in the thread, with what went wrong and a button to try again; and in the
 * message box, where it outlives the page.
 */
function showProblem(question, problem, text, files, again) {
  const box = question.querySelector("[data-problem]");
  const retry = () => {
    refused.delete(named(text, files));
    composer.takeBack(text, files);
    question.remove();
    again();
  };
  refused.set(named(text, files), retry);
  composer.giveBack(text, files);
  delete question.dataset.pending;
  box.hidden = false;
  box.querySelector("[data-problem-text]").textContent = problem;
  box.querySelector("[data-resend]").addEventListener("click", retry);
  offerLater(socket, box.querySelector("[data-later]"), retry);
  announce(problem);
}

function stop() {
  for (const { el } of running) if (el.dataset.turn) socket.stopTurn(el.dataset.turn);
}

/** Asks again as another version: of a question (new text) or of an answer (same question). */
async function askAgain({ files = [], ...frame }, cutAt) {
  cutFrom(cutAt);
  if ("text" in frame) showFiles(appendQuestion(frame.text, frame.parent), files);
  const waiting = appendAnswer(hooks);
  begin(waiting);
  follower.toEnd();
  try {
    await socket.startTurn({ id: newId(), conversation, ...choices(), ...frame, ...carriedFiles(files) });
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if ("text" in frame) composer.giveBack(frame.text, files);
  }
  settle(waiting);
  await showPath();
}

/** The question of an answer to somebody else, in a column beside it. */
async function askAnother(answerEl, choice) {
  const { question, message } = answerEl.dataset;
  if (running.size) return;
  try {
    const usual = { id: newId(), conversation, collections: chosenCollections() };
    await socket.startTurn({ ...usual, question, beside: message, ...choice });
    await showPath();
    follower.toEnd();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function goOnWith(answerEl) {
  try {
    await choose(answerEl);
    await showPath();
    composer?.focus();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function showPath(message) {
  try {
    await fetchThread(conversation, message);
    const left = [...running].map(({ el }) => el.dataset.turn);
    settle(...running); // those that are on the new path are taken up again
    draw();
    const followed = new Set([...running].map(({ el }) => el.dataset.turn));
    for (const turn of left) if (turn && !followed.has(turn)) socket.unwatch(turn);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

function resume(answer) {
  if (answer.el.dataset.turn) watch(answer, answer.el.dataset.turn);
}

function edit(question) {
  if (running.size) return;
  const files = filesOf(question);
  const { message, parent } = question.dataset;
  editQuestion(question, (text) => {
    const isSame = text === question.querySelector("[data-text]").textContent;
    const answer = question.nextElementSibling;
    if (isSame && answer) askAgain({ question: message }, answer);
    else askAgain({ text, files, parent: parent || null }, question);
  });
}

function editLast() {
  const questions = list.querySelectorAll(".user");
  if (questions.length) edit(questions[questions.length - 1]);
}

function regenerate(answerEl, choice = {}) {
  if (running.size) return;
  askAgain({ question: answerEl.dataset.question, ...choice }, answerEl.closest("#messages > li"));
}

/** Goes on where an answer broke off, as another version of it. */
function goOn(answerEl) {
  if (running.size) return;
  const { message } = answerEl.dataset;
  askAgain({ continues: message, agent: null, model: null, collections: null }, answerEl.closest("#messages > li"));
}

/** A half-written edit would go with the page: it becomes the draft, unless there is one. */
function leaveToSignIn() {
  const edited = list.querySelector(".edit textarea")?.value.trim();
  if (edited) composer?.giveBack(edited);
  signInAgain();
}

/** Words of an answer stand above what is being written. */
function quote(text) {
  composer.fill(text);
  composer.focus();
}

const CLICKS = {
  "a.cite": (chip) => {
    const answer = answerOf(chip.closest(".answer"));
    openSources(answer, chip.textContent, chip);
  },
  "[data-sources]": (button) => openSources(answerOf(button.closest(".answer")), null, button),
  "[data-copy-code]": (button) => copyText(button.closest(".code").querySelector("code").textContent),
  "[data-copy]": (button) => {
    const answer = answerOf(button.closest(".answer"));
    copyText(answer ? answer.text : button.closest(".user").querySelector("[data-text]").textContent);
  },
  "[data-version]": (button) => showPath(button.dataset.version),
  "[data-edit]": (button) => edit(button.closest(".user")),
  "[data-regenerate]": (button) => regenerate(button.closest(".answer")),
  "[data-continue]": (button) => goOn(button.closest(".answer")),
  "[data-why]": (button) => openWhy(button, answerOf(button.closest(".answer"))),
  "[data-more]": openAnswerMenu,
  "[data-rate]": (button) => rate(button).catch((error) => toast(error.message, { kind: "bad" })),
  "[data-choose]": (button) => goOnWith(button.closest(".answer")),
  "[data-stop-one]": (button) => socket.stopTurn(button.closest(".answer").dataset.turn),
  "[data-branch]": (button) => branchQuestion(conversation, button.closest(".user")).catch((error) => toast(error.message, { kind: "bad" })),
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

previewCitations(list, answerOf);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (isOpen()) closeSources();
  else stop();
});

watchConnection(socket, { onBack: step.catchUp, onSignedOut: leaveToSignIn });
socket.addEventListener("version", ({ detail }) => offerNewVersion(detail));
socket.addEventListener("reload", () => {
  settle(...running);
  showPath();
});

for (const starter of document.querySelectorAll("[data-starter]")) {
  starter.addEventListener("click", () => {
    ask({ text: starter.querySelector("[data-question]").textContent, parent: null });
  });
}
composer?.useConversation(conversation);
offerTemporary(composer);
composer?.restoreDraft();
if (!conversation && matchMedia("(hover: hover)").matches) composer.focus(); // no keyboard on phones
const found = foundMessage();
draw(found ?? undefined);
loadStretches({
  draw,
  drawRest: () => drawRest({ hooks, resume }),
});
printFootnotes();
if (composer) offerAsking(quote);
document.getElementById("message")?.addEventListener("input", () => loadRenderer(), { once: true });
offerComparison();
offerAnswerMenu({ conversation: () => conversation, again: regenerate, beside: askAnother });
document.getElementById("to-end").addEventListener("click", async () => {
  if (isEndMissing()) await showPath();
  follower.toEnd();
});
if (conversation) openAt(found, follower);
composer?.takeOver();
