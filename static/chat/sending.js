// A question on its way: shown at once, taken back if the server refuses it.
import { refreshSoon } from "../js/tabs.js";
import { toast } from "../js/toast.js";
import { announce } from "./announce.js";
import { carried } from "./choosing.js";
import { appendComparison, comparedChoices } from "./compare.js";
import { offerLater } from "./connection.js";
import { begin, hooks, settle, showPath, watch } from "./answering.js";
import { chosenCollections, endOnce } from "./pickers.js";
import { filesOf, showFiles } from "./sent-files.js";
import { offerSharing } from "./share-button.js";
import { isEndMissing } from "./stretches.js";
import { offerTakeaway } from "./takeaway.js";
import { carriedFiles, choices, follower, isTrial, newId, socket, talk } from "./talk.js";
import { beginTemporary, isTemporary, lifetime, settleLifetime } from "./temporary.js";
import { appendAnswer, appendQuestion, leafId } from "./thread.js";

const refused = new Map(); // by text: sends that question again, once in all
const named = (text, files) => JSON.stringify([text, ...files.map(({ id }) => id)]);

/** What the composer sends: a question that was refused is that question again. */
export function sendText(text, files) {
  return (refused.get(named(text, files)) ?? (() => askNext(text, files)))();
}

/** Asks after the end of the conversation, which may not be on the page. */
async function askNext(text, files) {
  if (isEndMissing()) await showPath();
  await ask({ text, parent: leafId(), files });
}

/** Sends a question; the page shows it at once and takes it back if the server refuses. */
export async function ask({ text, parent, files = [], id = newId(), chosen = choices(), columns = comparedChoices() }) {
  endOnce();
  const question = appendQuestion(text, parent);
  showFiles(question, files);
  const answers = columns.length ? appendComparison(columns, hooks) : [appendAnswer(hooks)];
  begin(...answers);
  follower.toEnd();
  try {
    const first = { ...lifetime(), ...(columns.length ? carried(columns[0]) : {}) };
    const accepted = await socket.startTurn({ id, conversation: talk.conversation, parent, text, ...chosen, ...first, ...carriedFiles(files) });
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
  if (!talk.conversation) enter(accepted.conversation_id, question);
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
    const usual = { id: newId(), conversation: talk.conversation, collections: chosenCollections() };
    follow(await socket.startTurn({ ...usual, ...frame }), answer);
  } catch (error) {
    settle(answer);
    toast(error.message, { kind: "bad" });
    if (answer.el.isConnected) await showPath();
  }
}

/** The new conversation gets its address without a reload. */
function enter(id, question) {
  talk.conversation = id;
  if (!isTrial) history.replaceState(null, "", `/c/${id}`);
  talk.composer.useConversation(id);
  talk.composer.useFollowUp();
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
    talk.composer.takeBack(text, files);
    question.remove();
    again();
  };
  refused.set(named(text, files), retry);
  talk.composer.giveBack(text, files);
  delete question.dataset.pending;
  box.hidden = false;
  box.querySelector("[data-problem-text]").textContent = problem;
  box.querySelector("[data-resend]").addEventListener("click", retry);
  offerLater(socket, box.querySelector("[data-later]"), retry);
  announce(problem);
}
