// The row that says how a question was understood: what it was narrowed to, and what else was
// searched for. A narrowing can be left out: the question is asked again without it.
import { fill, gettext, ngettext } from "../js/i18n.js";

const { lang } = document.documentElement;
const days = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { dateStyle: "medium", timeZone: "UTC" });

const WAYS = {
  original: () => gettext("The question"),
  standalone: () => gettext("With what it is about"),
  rewrite: () => gettext("In other words"),
  hypothetical: () => gettext("A passage that could be the answer"),
  part: () => gettext("A part of it"),
  step_back: () => gettext("More generally"),
  translation: () => gettext("Translated"),
  glossary: () => gettext("From the glossary"),
};

const KINDS = {
  file_types: () => gettext("Kind of file"),
  languages: () => gettext("Language"),
  dates: () => gettext("Date"),
};

const TROUBLES = {
  late: () => gettext("No model wrote further queries in time; the search went on without."),
  nonsense: () => gettext("What the model wrote could not be used; the search went on without."),
  unavailable: () => gettext("No model could write further queries; the search went on without."),
};

/** Whether there is more to tell than the row of the search says itself. */
export const isMore = ({ queries, filters, trouble }) => queries.length > 1 || filters.length > 0 || Boolean(trouble);

/** Fills a row; `part` finds its parts, `measure` says how long it took. */
export function showUnderstood(part, { queries, filters, model, trouble }, took) {
  const counting = filters.filter(({ counts }) => counts);
  part("what").textContent = counting.length ? gettext("Narrowed to") : gettext("Understood");
  part("object").textContent = counting.length
    ? counting.map(spanned).join(" · ")
    : (queries[1]?.text ?? "");
  const count = ngettext("%(n)s query", "%(n)s queries", queries.length);
  part("measure").textContent = `${fill(count, { n: queries.length })} · ${took}`;
  part("body").append(
    ...filters.map((one) => narrowing(one, filters)),
    ...(queries.length > 1 ? queries.map(queryLine) : []),
    ...(model ? [paragraph(fill(gettext("Written by %(model)s."), { model }))] : []),
    ...(trouble ? [paragraph(TROUBLES[trouble]?.() ?? "")] : []),
  );
}

function narrowing(one, all) {
  const line = paragraph(named(KINDS[one.kind]?.() ?? one.kind, spanned(one)));
  line.className = "narrowing";
  if (!one.counts) line.append(" · ", gettext("left out"));
  else if (document.getElementById("composer")) line.append(" ", leaveOut(one, all));
  return line;
}

function leaveOut({ kind, words }, all) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn outline";
  button.textContent = gettext("Ask again without it");
  button.ariaLabel = fill(gettext("Ask again without “%(words)s”"), { words });
  const left = all.filter(({ counts }) => !counts).map((other) => other.kind);
  button.dataset.without = [...left, kind].join(" ");
  return button;
}

const queryLine = ({ way, text }) => paragraph(named(WAYS[way]?.() ?? way, text));

function named(name, text) {
  const strong = document.createElement("b");
  const both = document.createDocumentFragment();
  strong.textContent = name;
  both.append(strong, ` · ${text}`);
  return both;
}

function paragraph(content) {
  const el = document.createElement("p");
  el.append(content);
  return el;
}

/** “last month” (1 – 31 Oct 2026) */
function spanned({ words, from, until }) {
  const quoted = fill(gettext("“%(words)s”"), { words });
  const span = between(from, until);
  return span ? `${quoted} (${span})` : quoted;
}

/** Days as the person means them: the zone is in the text, so that its own date is theirs. */
function between(from, until) {
  const first = from && new Date(`${from.slice(0, 10)}T00:00Z`);
  const last = until && new Date(Date.parse(`${until.slice(0, 10)}T00:00Z`) - 86_400_000);
  if (first && last) return days.formatRange(first, last);
  if (first) return fill(gettext("from %(day)s"), { day: days.format(first) });
  return last ? fill(gettext("until %(day)s"), { day: days.format(last) }) : "";
}
