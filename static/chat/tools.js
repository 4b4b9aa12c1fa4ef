// Calls of tools above an answer: a quiet row each, with what was handed over and what came back,
// and the question where a call waits for the person.
import { fetchFragment, fetchJson } from "../js/http.js";
import { fill, gettext, ngettext } from "../js/i18n.js";
import { duration, passageRow } from "./step-parts.js";

const SAID = {
  done: () => gettext("Called"),
  refused: () => gettext("Refused"),
  failed: () => gettext("Failed"),
  late: () => gettext("Took too long"),
  denied: () => gettext("Not allowed"),
  stopped: () => gettext("Stopped"),
};

/** The calls of one answer. `makeRow(kind)` adds a row and answers its parts by name. */
export class Calls {
  #el;
  #makeRow;
  #rows = new Map();

  /** @param {HTMLElement} el of the answer, with [data-approvals] */
  constructor(el, makeRow) {
    this.#el = el;
    this.#makeRow = makeRow;
  }

  get #questions() {
    return this.#el.querySelector("[data-approvals]");
  }

  clear() {
    this.#rows.clear();
    this.#questions?.replaceChildren();
    this.#el.querySelector("[data-drawn]")?.replaceChildren();
  }

  /** One event; whether it was one of calls. */
  add(kind, data) {
    if (kind === "tool_called") this.#call(data);
    else if (kind === "tool_completed") this.#complete(data);
    else if (kind === "tool_progressed") this.#progress(data);
    else if (kind === "tool_approval_requested") this.#ask(data);
    else return false;
    return true;
  }

  #call({ call_id: id, parent, title, server, icon, effect, arguments: given }) {
    const part = this.#makeRow("tool");
    if (this.#rows.has(parent)) below(this.#rows.get(parent).part).append(part("what").closest("details"));
    part("icon").append(template(`step-${icon}-icon`) ?? template("step-tool-icon"));
    part("what").textContent = gettext("Calling");
    const object = [title, brief(given)].filter(Boolean).join(" · ");
    part("object").textContent = object;
    part("body").append(...labelled(gettext("Given"), pretty(given)));
    if (server) part("body").prepend(line(fill(gettext("A tool of %(server)s"), { server })));
    this.#rows.set(id, { part, effect, title, object });
  }

  /** While it runs, how far it is says more than what it was asked. */
  #progress({ call_id: id, ...said }) {
    const { part, title } = this.#rows.get(id) ?? {};
    if (!part || part("what").closest("details").dataset.status) return;
    part("object").textContent = [title, howFar(said)].filter(Boolean).join(" · ");
  }

  #complete(data) {
    const { part, object } = this.#rows.get(data.call_id) ?? {};
    if (!part) return;
    const row = part("what").closest("details");
    part("object").textContent = object;
    row.dataset.status = data.status;
    part("what").textContent = (SAID[data.status] ?? SAID.done)();
    part("measure").textContent = duration(data.took_ms);
    const result = document.createElement("div");
    result.className = "result";
    if (data.text) result.append(...labelled(gettext("Result"), data.text));
    part("body").append(result, ...data.passages.map(passageRow));
    if (data.spent?.tokens) part("measure").prepend(`${tokens(data.spent.tokens)} · `);
    if (data.drawing) this.#draw(JSON.parse(data.drawing));
    if (data.chars > data.text.length) this.#offerWhole(row, result, data.call_id);
  }

  /** The whole of it is fetched when somebody looks. */
  #offerWhole(row, result, id) {
    const show = async () => {
      if (!row.open) return;
      row.removeEventListener("toggle", show);
      try {
        const calls = await fetchJson(`/api/v1/turns/${this.#el.dataset.turn}/calls`);
        const whole = calls.find(({ call_id: other }) => other === id);
        if (whole) result.replaceChildren(...labelled(gettext("Result"), whole.output));
        else if (!result.childElementCount) result.append(line(gettext("Only the person who asked can read this.")));
      } catch (error) {
        row.addEventListener("toggle", show);
        result.replaceChildren(line(error.message));
      }
    };
    row.addEventListener("toggle", show);
  }

  /** What is worth more than words stands below them. */
  async #draw({ chart }) {
    const place = this.#el.querySelector("[data-drawn]")?.appendChild(document.createElement("div"));
    if (!place || !chart) return;
    const { chartCard } = await import("./chart-card.js");
    place.append(chartCard(chart));
  }

  /** The card of the question; who may not answer it sees that one is waited for. */
  async #ask({ approval_id: id, title }) {
    const box = this.#questions;
    if (!box || this.#el.dataset.status !== "running") return;
    const place = document.createElement("div");
    place.append(line(fill(gettext("Waits for the person who asked: %(tool)s"), { tool: title })));
    box.append(place);
    try {
      place.replaceChildren(await fetchFragment(`/settings/approvals/${id}`));
      window.htmx?.process(place);
    } catch (error) {
      if (error.status !== 404) place.replaceChildren(line(error.message));
    }
  }
}

/** Where rows of another agent's calls stand: inside of the call by which it was asked. */
function below(part) {
  const place = part("body").querySelector(":scope > .below") ?? document.createElement("div");
  place.className = "below";
  part("body").append(place);
  return place;
}

function tokens(n) {
  return fill(ngettext("%(n)s token", "%(n)s tokens", n), { n: n.toLocaleString(document.documentElement.lang) });
}

const TELLING = ["query", "title", "url", "expression", "question", "path"];

/** What a call is about, in a word: the value of a telling name, or the first that is text. */
function brief(given) {
  const values = parsed(given) ?? {};
  const asked = [...TELLING.map((name) => values[name]), ...Object.values(values)];
  const found = asked.find((value) => typeof value === "string" && value.trim());
  return found ? fill(gettext("“%(query)s”"), { query: found.trim().slice(0, 80) }) : "";
}

/** "3 of 10 — indexing", "40% — indexing" */
function howFar({ text, done, total }) {
  const number = (value) => value.toLocaleString(document.documentElement.lang);
  let count = done ? number(done) : "";
  if (total > 1) count = fill(gettext("%(done)s of %(total)s"), { done: number(done ?? 0), total: number(total) });
  else if (total) count = `${Math.round((100 * (done ?? 0)) / total)}%`;
  return [count, text].filter(Boolean).join(" — ");
}

function pretty(given) {
  const value = parsed(given);
  if (value === undefined) return given;
  return Object.keys(value ?? {}).length ? JSON.stringify(value, null, 2) : "";
}

function parsed(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return undefined;
  }
}

const template = (id) => document.getElementById(id)?.content.cloneNode(true);

function line(text) {
  const el = document.createElement("p");
  el.textContent = text;
  return el;
}

function labelled(label, text) {
  if (!text) return [];
  const head = document.createElement("h3");
  const body = document.createElement("pre");
  head.textContent = label;
  body.textContent = text;
  body.tabIndex = 0;
  body.setAttribute("role", "group");
  body.ariaLabel = label;
  return [head, body];
}
