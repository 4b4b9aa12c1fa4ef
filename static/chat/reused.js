// An answer that was written before says so, and when; its button asks for a new one.
import { fill, gettext } from "../js/i18n.js";

const { lang } = document.documentElement;
const moment = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { dateStyle: "medium", timeStyle: "short" });

/** Draws the mark of such a step below the answer; false for every other step. */
export function markReused(answer, kind, { made_at: madeAt, is_similar: isSimilar }) {
  if (kind !== "answer_reused") return false;
  const template = document.getElementById("reused-template");
  if (!template || answer.querySelector("[data-mark=answer_reused]")) return true;
  const mark = template.content.firstElementChild.cloneNode(true);
  const told = isSimilar
    ? gettext("Reused answer to a similar question · %(time)s")
    : gettext("Reused answer · %(time)s");
  mark.dataset.mark = kind;
  mark.querySelector("[data-label]").textContent = fill(told, { time: moment.format(new Date(madeAt)) });
  answer.querySelector("[data-actions]").before(mark);
  return true;
}
