// Another version: of a question that is edited, of an answer that is asked for again or gone on with.
import { toast } from "../js/toast.js";
import { choose } from "./compare.js";
import { editQuestion } from "./editing.js";
import { begin, hooks, settle, showPath } from "./answering.js";
import { chosenCollections } from "./pickers.js";
import { filesOf, showFiles } from "./sent-files.js";
import { carriedFiles, choices, follower, newId, running, socket, talk } from "./talk.js";
import { appendAnswer, appendQuestion, cutFrom, list } from "./thread.js";

/** Asks again as another version: of a question (new text) or of an answer (same question). */
async function askAgain({ files = [], ...frame }, cutAt) {
  cutFrom(cutAt);
  if ("text" in frame) showFiles(appendQuestion(frame.text, frame.parent), files);
  const waiting = appendAnswer(hooks);
  begin(waiting);
  follower.toEnd();
  try {
    await socket.startTurn({ id: newId(), conversation: talk.conversation, ...choices(), ...frame, ...carriedFiles(files) });
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if ("text" in frame) talk.composer.giveBack(frame.text, files);
  }
  settle(waiting);
  await showPath();
}

/** The question of an answer to somebody else, in a column beside it. */
export async function askAnother(answerEl, choice) {
  const { question, message } = answerEl.dataset;
  if (running.size) return;
  try {
    const usual = { id: newId(), conversation: talk.conversation, collections: chosenCollections() };
    await socket.startTurn({ ...usual, question, beside: message, ...choice });
    await showPath();
    follower.toEnd();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

export async function goOnWith(answerEl) {
  try {
    await choose(answerEl);
    await showPath();
    talk.composer?.focus();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

export function edit(question) {
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

export function editLast() {
  const questions = list.querySelectorAll(".user");
  if (questions.length) edit(questions[questions.length - 1]);
}

export function regenerate(answerEl, choice = {}) {
  if (running.size) return;
  askAgain({ question: answerEl.dataset.question, ...choice }, answerEl.closest("#messages > li"));
}

/** Goes on where an answer broke off, as another version of it. */
export function goOn(answerEl) {
  if (running.size) return;
  const { message } = answerEl.dataset;
  askAgain({ continues: message, agent: null, model: null, collections: null }, answerEl.closest("#messages > li"));
}
