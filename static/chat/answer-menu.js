// What one does with an answer: ask again, with another model or agent, compare, copy, branch.
import { copyText } from "../js/clipboard.js";
import { conversationApi } from "../js/history.js";
import { sendJson } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";
import { openMenu } from "../js/menu.js";
import { toast } from "../js/toast.js";
import { answerOf } from "./answer.js";
import { agentChoices, carried, chooseOne, modelChoices } from "./choosing.js";
import { whyUrl } from "./citations.js";
import { drafts } from "./drafts.js";
import { place } from "./steps.js";

const menu = document.getElementById("answer-menu");
let shown = null; // the answer whose menu is open

export function openAnswerMenu(button) {
  shown = button.closest(".answer");
  menu.querySelector("[data-why-page]").href = whyUrl(shown);
  openMenu(menu, button);
}

/**
 * @param {{conversation: () => string | null, again: (el: HTMLElement, frame: object) => void,
 *   beside: (el: HTMLElement, frame: object) => void}} page asks the question of an answer again:
 *   in its place, or beside it
 */
export function offerAnswerMenu({ conversation, again, beside }) {
  const ask = async (title, text, choices, run) => {
    const answer = shown;
    const choice = await chooseOne({ title, text, choices });
    if (choice) run(answer, carried(choice));
  };
  const ACTS = {
    again: () => again(shown, {}),
    model: () => ask(gettext("Answer again with another model"), gettext("The earlier answer is kept as a version."), modelChoices(), again),
    agent: () => ask(gettext("Answer again with another agent"), gettext("The earlier answer is kept as a version."), agentChoices(), again),
    compare: () => ask(gettext("Compare with"), gettext("It answers the same question beside this one."), [...modelChoices(), ...agentChoices()], beside),
    copy: () => copyText(withSources(answerOf(shown))),
    branch: () => branch(conversation(), shown.dataset.message),
  };
  menu.addEventListener("click", ({ target }) => {
    const item = target.closest("[data-act]");
    if (!item) return;
    menu.hidePopover();
    Promise.resolve(ACTS[item.dataset.act]()).catch((error) => toast(error.message, { kind: "bad" }));
  });
}

const inQuotes = (words) => fill(gettext("“%(query)s”"), { query: words });

/** The answer as it was written, and below it a line for each number it cites. */
export function withSources({ text, citations, sources }) {
  if (!citations.length) return text;
  const lines = sources.map((source) => {
    const where = [source.title, place(source)].filter(Boolean).join(" › ");
    const quotes = citations.filter(({ n }) => n === source.n).map(({ quote }) => inQuotes(quote.split(/\s+/).join(" ").trim()));
    return `- [${source.n}] ${where}: ${quotes.join(" … ")}`;
  });
  return `${text.trim()}\n\n${lines.join("\n")}\n`;
}

/** A conversation of one's own with everything up to this message; the page goes there. */
export async function branch(conversation, message) {
  const made = await sendJson("POST", `${conversationApi(conversation)}/branch`, { message });
  location.assign(`/c/${made.id}`);
}

/**
 * From a question: everything before it comes along, and its words wait in the message box to be
 * asked differently.
 */
export async function branchQuestion(conversation, question) {
  const text = question.querySelector("[data-text]").textContent;
  const { user } = document.getElementById("composer")?.dataset ?? document.body.dataset;
  const before = question.dataset.parent;
  const made = before ? await sendJson("POST", `${conversationApi(conversation)}/branch`, { message: before }) : null;
  drafts.setItem(`draft:${user}:${made?.id ?? "new"}`, text);
  location.assign(made ? `/c/${made.id}` : "/");
}
