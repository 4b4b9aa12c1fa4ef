// The quiet rows above an answer: what was searched, thought, switched or called; each with its
// verb, its object and how long it took, and the whole of it inside.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { duration, passageRow } from "./step-parts.js";
import { Calls } from "./tools.js";
import { isMore, showUnderstood } from "./understood.js";

export { duration, lineNumbers, place } from "./step-parts.js";

const clone = (id) => document.getElementById(id).content.cloneNode(true);

/** The rows of one answer, in the order of its events. */
export class Steps {
  #list;
  #thought = null;
  #calls;

  /** @param {HTMLElement} list hidden as long as it is empty */
  constructor(list) {
    this.#list = list;
    this.#calls = new Calls(list.parentElement, (kind) => this.#row(kind));
  }

  clear() {
    this.#list.replaceChildren();
    this.#list.hidden = true;
    this.#thought = null;
    this.#calls.clear();
  }

  /** One event; those that have no row are ignored. */
  add(kind, data) {
    if (this.#calls.add(kind, data)) return;
    if (kind === "handed_over") this.#hand(data);
    if (kind in ROWS && !isNothing(kind, data)) ROWS[kind](this.#row(kind), data);
    if (kind === "retrieval_completed") this.#forget("query_searched");
  }

  /** What each query found is worth a row until all of it is there. */
  #forget(kind) {
    for (const row of this.#list.querySelectorAll(`[data-kind=${kind}]`)) row.remove();
  }

  /** Who goes on in place of whom, and the way back. */
  #hand(data) {
    const row = document.createElement("p");
    const isLive = this.#list.parentElement.dataset.status === "running";
    this.#list.append(row);
    this.#list.hidden = false;
    import("./handed.js").then(({ showHanded }) => showHanded(row, data, isLive));
  }

  /** Words of the reasoning; the first of them open a row. */
  think(text) {
    if (!this.#thought) {
      const part = this.#row();
      icon(part, "step-thought-icon");
      part("what").textContent = gettext("Thinking");
      this.#thought = { part, node: document.createTextNode("") };
      part("body").append(paragraph(this.#thought.node));
    }
    this.#thought.node.appendData(text);
  }

  /** The reasoning is over; `took` in milliseconds where it is known. */
  thought(took) {
    if (!this.#thought) return;
    const { part } = this.#thought;
    part("what").textContent = gettext("Thought");
    if (took !== undefined) part("measure").textContent = duration(took);
    this.#thought = null;
  }

  #row(kind = "") {
    const row = clone("step-template").firstElementChild;
    row.dataset.kind = kind;
    this.#list.append(row);
    this.#list.hidden = false;
    return (name) => row.querySelector(`[data-${name}]`);
  }
}

const ROWS = {
  query_rewritten(part, data) {
    icon(part, "step-understood-icon");
    showUnderstood(part, data, duration(data.took_ms));
  },
  query_searched(part, { query, count, passages, took_ms: took }) {
    icon(part, "step-search-icon");
    part("what").textContent = gettext("Searched");
    part("object").textContent = fill(gettext("“%(query)s”"), { query });
    part("measure").textContent = `${passageCount(count)} · ${duration(took)}`;
    part("body").append(...passages.map((passage) => passageRow({ ...passage, n: "" })));
  },
  passages_reranked(part, { model, depth, trouble, took_ms: took }) {
    icon(part, "step-search-icon");
    part("what").textContent = gettext("Put in a better order");
    part("object").textContent = model;
    part("measure").textContent = `${passageCount(depth)} · ${duration(took)}`;
    if (trouble) part("body").append(paragraph(gettext("That did not work, or took too long; the order of the search stands.")));
  },
  retrieval_completed(part, { query, passages, took_ms: took }) {
    icon(part, "step-search-icon");
    part("what").textContent = gettext("Searched");
    if (query) part("object").textContent = fill(gettext("“%(query)s”"), { query });
    part("measure").textContent = `${passageCount(passages.length)} · ${duration(took)}`;
    part("body").append(...passages.map(passageRow));
  },
  attachments_read(part, { attachments, passages, took_ms: took }) {
    icon(part, "step-file-icon");
    part("what").textContent = gettext("Read");
    part("object").textContent = attachments.map(({ name }) => name).join(", ");
    part("measure").textContent = duration(took);
    part("body").append(...attachments.map(fileUse), ...passages.map(passageRow));
  },
  endpoint_switched(part, { failed, switched_to: next, after, detail }) {
    icon(part, "step-switch-icon");
    part("what").textContent = after ? gettext("Continued on") : gettext("Another model took over");
    part("object").textContent = next ?? "";
    if (after) {
      const text = ngettext("%(endpoint)s stopped after %(n)s character.", "%(endpoint)s stopped after %(n)s characters.", after);
      part("body").append(paragraph(fill(text, { endpoint: failed, n: after })));
    }
    part("body").append(paragraph(detail ?? ""));
  },
  note_taken(part, { text }) {
    icon(part, "step-note-icon");
    part("what").textContent = gettext("Added");
    part("object").textContent = fill(gettext("“%(query)s”"), { query: text });
    part("body").append(paragraph(text));
  },
  guardrail_acted(part, { rule, said }) {
    icon(part, "step-label-icon");
    part("what").textContent = gettext("Rule");
    part("object").textContent = rule;
    part("body").append(paragraph(said));
  },
  labels_demanded(part, { labels }) {
    icon(part, "step-label-icon");
    part("what").textContent = gettext("Kept to");
    part("object").textContent = labels.join(", ");
    part("body").append(paragraph(gettext("The question may be shown only to endpoints with these labels; the agent, a team or a collection demands it.")));
  },
};

const USES = {
  whole: () => gettext("read whole"),
  searched: () => gettext("searched: too long to be read whole"),
  seen: () => gettext("seen by the model"),
};

function fileUse({ name, how, reason }) {
  const strong = document.createElement("b");
  strong.textContent = name;
  const line = paragraph(strong);
  line.append(` · ${reason || (USES[how]?.() ?? "")}`);
  return line;
}

/** An agent that searches nothing says so by a search that took no time; a follow-up that only
    brings along what it points back to is seen in the row of the search. */
const isNothing = (kind, data) =>
  (kind === "retrieval_completed" && !data.passages.length && !data.took_ms) ||
  (kind === "query_rewritten" && !isMore(data));

function icon(part, id) {
  part("icon").append(clone(id));
}

function paragraph(content) {
  const el = document.createElement("p");
  el.append(content);
  return el;
}

export function passageCount(count) {
  const text = ngettext("%(n)s passage", "%(n)s passages", count);
  return fill(text, { n: count });
}
