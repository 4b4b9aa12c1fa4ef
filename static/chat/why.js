// Which model answered, where, how fast, and why that one: what opens from an answer's footer.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { openMenu } from "../js/menu.js";
import { whyUrl } from "./citations.js";
import { share } from "./proof.js";

const lang = document.documentElement.lang;
const numbers = new Intl.NumberFormat(lang);
const seconds = new Intl.NumberFormat(lang, { maximumFractionDigits: 2 });

/** Opens beside the button what is known of who gave this answer. */
export function openWhy(button, answer) {
  const box = document.getElementById("answer-why");
  const rows = facts(answer).map(([name, value]) => row(name, value));
  box.querySelector("[data-facts]").replaceChildren(...rows);
  const said = box.querySelector("[data-why-text]");
  said.textContent = answer.usage?.why ?? "";
  said.hidden = !said.textContent;
  box.querySelector("[data-why-page]").href = whyUrl(answer.el);
  const all = box.querySelector("[data-all-attempts]");
  if (all) all.href = `${all.dataset.allAttempts}?q=${answer.el.dataset.turn}`;
  if (all) all.hidden = !answer.el.dataset.turn;
  openMenu(box, button);
}

/** Where another endpoint went on in mid-answer; null where none did. */
export function continuedOn(answer) {
  const last = answer.switches.filter(({ after }) => after).at(-1);
  return last ? fill(gettext("continued on %(endpoint)s"), { endpoint: last.switched_to }) : null;
}

/** Tokens a second while it wrote; undefined where the server did not count. */
function speed({ completion_tokens: tokens, first_token_ms: first, total_ms: total }) {
  const writing = total - first;
  return tokens > 1 && writing > 50 ? (1000 * tokens) / writing : undefined;
}

function facts(answer) {
  const usage = answer.usage ?? {};
  const rate = speed(usage);
  const found = [
    [gettext("Model"), answer.model === "offline" ? gettext("no model connected") : answer.model],
    [gettext("Endpoint"), usage.endpoint],
    [gettext("Attempts"), usage.attempts > 1 ? numbers.format(usage.attempts) : ""],
    ...answer.switches.map((change) => [place(change), `${change.failed} → ${change.switched_to} · ${change.detail}`]),
    [gettext("First word"), time(usage.first_token_ms)],
    [gettext("Whole answer"), time(usage.total_ms)],
    [gettext("Speed"), rate ? fill(gettext("%(n)s tokens a second"), { n: numbers.format(Math.round(rate)) }) : ""],
    [gettext("Tokens read"), count(usage.prompt_tokens)],
    [gettext("of these from the cache"), usage.cached_tokens ? count(usage.cached_tokens) : ""],
    [gettext("Tokens written"), count(usage.completion_tokens)],
    [gettext("of these to think"), usage.reasoning_tokens ? count(usage.reasoning_tokens) : ""],
    [gettext("Sentences with a source"), share(answer.support)],
    [gettext("Demanded labels"), answer.labels.join(", ")],
  ];
  return found.filter(([, value]) => value);
}

const count = (n) => (n === null || n === undefined ? "" : numbers.format(n));

const time = (ms) =>
  ms === null || ms === undefined ? "" : fill(gettext("%(n)s s"), { n: seconds.format(Math.max(ms, 10) / 1000) });

function place({ after }) {
  if (!after) return gettext("Before the first word");
  const text = ngettext("After %(n)s character", "After %(n)s characters", after);
  return fill(text, { n: numbers.format(after) });
}

function row(name, value) {
  const line = document.createElement("div");
  const term = document.createElement("dt");
  const said = document.createElement("dd");
  term.textContent = name;
  said.textContent = value;
  line.append(term, said);
  return line;
}
