// An answer that a curator approved says so; its button asks the model instead.
import { fill, gettext } from "../js/i18n.js";

const { lang } = document.documentElement;
const day = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { dateStyle: "medium" });

/** Draws the mark of such a step below the answer; false for every other step. */
export function markApproved(answer, kind, { question, approved_at: approvedAt, is_exact: isExact }) {
  if (kind !== "answer_approved") return false;
  const template = document.getElementById("approved-template");
  if (!template || answer.querySelector("[data-mark=answer_approved]")) return true;
  const mark = template.content.firstElementChild.cloneNode(true);
  const told = isExact ? gettext("Approved answer · %(time)s") : gettext("Approved answer to “%(question)s” · %(time)s");
  mark.dataset.mark = kind;
  mark.querySelector("[data-label]").textContent = fill(told, { question, time: day.format(new Date(approvedAt)) });
  answer.querySelector("[data-actions]").before(mark);
  return true;
}
