// The chat page: puts composer, thread, socket and sources together.
import "../js/away.js";
import { copyText } from "../js/clipboard.js";
import { toast } from "../js/toast.js";
import { askAnother, edit, editLast, goOn, goOnWith, regenerate } from "./again.js";
import { branchQuestion, offerAnswerMenu, openAnswerMenu } from "./answer-menu.js";
import { answerOf } from "./answer.js";
import { offerAsking } from "./asking.js";
import { offerComparison } from "./compare.js";
import { Composer } from "./composer.js";
import { offerNewVersion, signInAgain, watchConnection } from "./connection.js";
import { draw, hooks, resume, settle, showPath, step } from "./answering.js";
import "./menus.js";
import { foundMessage, openAt } from "./opening.js";
import { previewCitations } from "./preview.js";
import { printFootnotes } from "./print.js";
import { rate } from "./rating.js";
import "./reading.js";
import { loadRenderer } from "./renderer.js";
import { ask, sendText } from "./sending.js";
import { closeSources, isOpen, openSources } from "./sources.js";
import { isEndMissing, loadStretches } from "./stretches.js";
import { follower, isTrial, running, scroller, socket, talk } from "./talk.js";
import { offerTemporary } from "./temporary.js";
import { drawRest, list } from "./thread.js";
import { openWhy } from "./why.js";

document.body.dataset.katex = scroller.dataset.katex;
if (document.getElementById("composer")) {
  talk.composer = new Composer({ onSend: sendText, onStop: stop, onUp: editLast });
}

function stop() {
  for (const { el } of running) if (el.dataset.turn) socket.stopTurn(el.dataset.turn);
}

/** A half-written edit would go with the page: it becomes the draft, unless there is one. */
function leaveToSignIn() {
  const edited = list.querySelector(".edit textarea")?.value.trim();
  if (edited) talk.composer?.giveBack(edited);
  signInAgain();
}

/** Words of an answer stand above what is being written. */
function quote(text) {
  talk.composer.fill(text);
  talk.composer.focus();
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
  "[data-without]": (button) => regenerate(button.closest(".answer"), { without: button.dataset.without.split(" ") }),
  "[data-continue]": (button) => goOn(button.closest(".answer")),
  "[data-why]": (button) => openWhy(button, answerOf(button.closest(".answer"))),
  "[data-more]": openAnswerMenu,
  "[data-rate]": (button) => rate(button).catch((error) => toast(error.message, { kind: "bad" })),
  "[data-choose]": (button) => goOnWith(button.closest(".answer")),
  "[data-stop-one]": (button) => socket.stopTurn(button.closest(".answer").dataset.turn),
  "[data-branch]": (button) => branchQuestion(talk.conversation, button.closest(".user")).catch((error) => toast(error.message, { kind: "bad" })),
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
talk.composer?.useConversation(talk.conversation);
offerTemporary(talk.composer);
talk.composer?.restoreDraft();
if (!talk.conversation && !isTrial && matchMedia("(hover: hover)").matches) talk.composer.focus(); // no keyboard on phones
const found = foundMessage();
draw(found ?? undefined);
loadStretches({
  draw,
  drawRest: () => drawRest({ hooks, resume }),
});
printFootnotes();
if (talk.composer) offerAsking(quote);
document.getElementById("message")?.addEventListener("input", () => loadRenderer(), { once: true });
offerComparison();
offerAnswerMenu({ conversation: () => talk.conversation, again: regenerate, beside: askAnother });
document.getElementById("to-end").addEventListener("click", async () => {
  if (isEndMissing()) await showPath();
  follower.toEnd();
});
if (talk.conversation) openAt(found, follower);
talk.composer?.takeOver();
