// What is said below and above an answer: its state, its sources, its measures.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { passageCount } from "./steps.js";
import { continuedOn } from "./why.js";

const numbers = new Intl.NumberFormat(document.documentElement.lang);
const seconds = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

export function sourceCount(count) {
  const text = ngettext("%(n)s source", "%(n)s sources", count);
  return fill(text, { n: count });
}

/** What it is doing when so many passages were found. */
export function reading(count) {
  if (!count) return gettext("Waiting for the model…");
  return fill(gettext("Reading %(passages)s…"), { passages: passageCount(count) });
}

/** How an answer ended that is not complete. */
export function statusText(status) {
  if (status === "stopped") return gettext("You stopped this answer.");
  if (status === "interrupted") return gettext("This answer was interrupted; what was written is kept.");
  if (status === "failed") return gettext("This answer failed.");
  return "";
}

/** Model, where it went on, tokens and seconds, in one line. */
export function measures(answer) {
  const usage = answer.usage ?? {};
  const tokens = (usage.prompt_tokens ?? 0) + (usage.completion_tokens ?? 0);
  const parts = [];
  if (answer.model) parts.push(answer.model === "offline" ? gettext("no model connected") : answer.model);
  const mark = continuedOn(answer);
  if (mark) parts.push(mark);
  if (tokens) {
    const text = ngettext("%(n)s token", "%(n)s tokens", tokens);
    parts.push(fill(text, { n: numbers.format(tokens) }));
  }
  if (usage.total_ms) {
    parts.push(fill(gettext("%(n)s s"), { n: seconds.format(Math.max(usage.total_ms, 10) / 1000) }));
  }
  return parts.join(" · ");
}
