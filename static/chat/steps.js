// The quiet rows above an answer: what was searched, thought, switched or called.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { documentUrl } from "./citations.js";

const seconds = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

const clone = (id) => document.getElementById(id).content.cloneNode(true);

/** Adds a row for an event; answers its body, or null when the event has no row. */
export function addStep(list, kind, data) {
  const draw = ROWS[kind];
  if (!draw) return null;
  const row = clone("step-template").firstElementChild;
  const part = (name) => row.querySelector(`[data-${name}]`);
  const body = draw(part, data);
  list.append(row);
  list.hidden = false;
  return body;
}

const ROWS = {
  retrieval_completed(part, { query, passages, took_ms: took }) {
    part("icon").append(clone("step-search-icon"));
    part("what").textContent = gettext("Searched");
    if (query) part("object").textContent = fill(gettext("“%(query)s”"), { query });
    part("measure").textContent = `${passageCount(passages.length)} · ${duration(took)}`;
    part("body").append(...passages.map(passageRow));
    return part("body");
  },
  reasoning(part, { text }) {
    part("icon").append(clone("step-thought-icon"));
    part("what").textContent = gettext("Thought");
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    part("body").append(paragraph);
    return paragraph;
  },
  endpoint_switched(part, data) {
    part("icon").append(clone("step-switch-icon"));
    part("what").textContent = gettext("Another model took over");
    part("object").textContent = data.to ?? data.endpoint ?? "";
    const paragraph = document.createElement("p");
    paragraph.textContent = data.reason ?? data.detail ?? "";
    part("body").append(paragraph);
    return part("body");
  },
};

function passageRow(passage) {
  const row = clone("step-passage-template").firstElementChild;
  row.href = documentUrl(passage);
  row.querySelector("[data-n]").textContent = passage.n;
  row.querySelector("[data-title]").textContent = passage.title;
  row.querySelector("[data-where]").textContent = place(passage);
  return row;
}

/** "Leave › Notice · page 3" */
export function place({ heading_path: headings, page, title }) {
  const path = (headings ?? []).filter((heading) => heading && heading !== title).join(" › ");
  const number = page ? fill(gettext("page %(page)s"), { page }) : "";
  return [path, number].filter(Boolean).join(" · ");
}

function passageCount(count) {
  const text = ngettext("%(n)s passage", "%(n)s passages", count);
  return fill(text, { n: count });
}

function duration(milliseconds) {
  return fill(gettext("%(n)s s"), { n: seconds.format(Math.max(milliseconds, 10) / 1000) });
}
