// One answer in the thread: events (or the stored message) in, steps, Markdown and status out.
import { fill, gettext } from "../js/i18n.js";
import { measures, reading, sourceCount, statusText } from "./answer-words.js";
import { collectSources, collectUncited } from "./citations.js";
import { markApproved } from "./approved.js";
import { Doing } from "./doing.js";
import { forgetMarks, markMemory } from "./memory.js";
import { loadRenderer, renderer } from "./renderer.js";
import { markProposed, withProposed } from "./proof.js";
import { markReused } from "./reused.js";
import { markStale } from "./stale.js";
import { Steps } from "./steps.js";
import { showSupport } from "./support.js";

const END = {
  message_completed: "complete",
  turn_stopped: "stopped",
  turn_interrupted: "interrupted",
  turn_failed: "failed",
};
const CALLS = {
  tool_called: () => gettext("%(tool)s…"),
  tool_approval_requested: () => gettext("Waiting for your answer"),
  tool_completed: () => gettext("Thinking…"),
};
const answers = new WeakMap();

export class Answer {
  #stream = null;
  #part;
  #steps;
  #doing;

  /** @param {HTMLElement} el made from chat/_answer.html; `hooks.onEnd(answer)` runs once */
  constructor(el, { onEnd = () => {} } = {}) {
    this.el = el;
    this.onEnd = onEnd;
    this.text = "";
    this.passages = [];
    this.citations = [];
    this.hasSwitched = false;
    this.switches = []; // which endpoint took over from which, and after how many characters
    this.labels = []; // demanded of whoever answered
    this.usage = null;
    this.cites = new Set();
    this.gone = new Set(); // numbers whose source this reader cannot open any more
    this.unsupported = [];
    this.support = {}; // of how many sentences, how many have a source
    this.#part = (name) => el.querySelector(`[data-${name}]`);
    this.#steps = new Steps(this.#part("steps"));
    this.#doing = new Doing(this.#part("waiting"));
    answers.set(el, this);
  }

  get isRunning() {
    return this.el.dataset.status === "running";
  }

  get sources() {
    return collectSources(this.citations, this.passages);
  }

  get uncited() {
    return collectUncited(this.citations, this.passages);
  }

  /** Shows that an answer is being waited for. */
  begin() {
    this.el.dataset.status = "running";
    this.#doing.show();
    loadRenderer();
  }

  /** Draws a stored message: the data beside it in the page. */
  restore(data) {
    if (this.#waits(() => this.restore(data))) return;
    let reasoning = data.reasoning; // all of it in the first of its rows
    for (const { kind, data: step } of normalisedSteps(data.steps)) {
      if (kind === "reasoning_completed" && reasoning) this.#steps.think(reasoning);
      if (kind === "reasoning_completed") reasoning = "";
      this.#step(kind, step);
    }
    if (reasoning) this.#steps.think(reasoning);
    for (const citation of data.citations) this.#cite(citation);
    for (const n of data.gone ?? []) this.#lose(n);
    markStale(this.el, data.changed ?? []);
    if (data.text) this.#write(data.text);
    this.usage = data.usage;
    this.canContinue = data.can_continue;
    this.#end(this.el.dataset.status, { ...data.error, notice: data.notice, model: data.model });
  }

  /** One event of the turn, in the order of the log. */
  apply(kind, data) {
    if (this.#waits(() => this.apply(kind, data))) return;
    switch (kind) {
      case "turn_started":
        this.#reset(); // a second time when another runner took over before anything was said
        this.el.dataset.message = data.message_id;
        this.#doing.show(gettext("Searching…"));
        break;
      case "text_delta":
        this.#write(data.text);
        break;
      case "reasoning_delta":
        this.#doing.show(gettext("Thinking…"));
        this.#steps.think(data.text);
        break;
      case "citation_added":
        this.#cite(data);
        break;
      case "usage_recorded":
        this.usage = data;
        break;
      default:
        this.canContinue = data.can_continue && "mine" in this.el.dataset; // a limit of its run
        if (kind in END) this.#end(END[kind], data);
        else this.#step(kind, data);
    }
  }

  /** Before the renderer is there everything waits, in order. */
  #waits(run) {
    if (renderer()) return false;
    loadRenderer().then(run);
    return true;
  }

  #reset() {
    this.text = "";
    this.passages = [];
    this.citations = [];
    this.unsupported = [];
    this.switches = [];
    this.cites.clear();
    this.#stream = null;
    this.#part("markdown").replaceChildren();
    this.#steps.clear();
    forgetMarks(this.el);
  }

  #step(kind, data) {
    if (markMemory(this.el, kind, data) || markReused(this.el, kind, data) || markApproved(this.el, kind, data)) return;
    if (kind === "retrieval_completed") {
      this.passages.push(...data.passages);
      for (const { n } of data.passages) this.cites.add(String(n));
      if (this.isRunning && !this.text) this.#doing.show(reading(data.passages.length));
    }
    if (kind === "attachments_read") this.#files(data);
    if (kind in CALLS) this.#calls(kind, data);
    if (kind === "endpoint_switched") this.switches.push(data);
    if (kind === "labels_demanded") this.labels = data.labels;
    this.hasSwitched ||= kind === "endpoint_switched";
    if (kind === "support_checked") {
      this.unsupported = data.sentences;
      this.support = data;
    }
    if (kind === "reasoning_completed") this.#steps.thought(data.took_ms);
    else this.#steps.add(kind, data);
  }

  /** What a tool brought in may be cited; while it is at work, that is what is being done. */
  #calls(kind, { title, passages = [] }) {
    this.passages.push(...passages);
    for (const { n } of passages) this.cites.add(String(n));
    if (this.isRunning) this.#doing.show(fill(CALLS[kind](), { tool: title }));
  }

  /** What was read of attached files counts as passages; the chips under the question show how. */
  #files({ attachments, passages }) {
    this.passages.push(...passages);
    for (const { n } of passages) this.cites.add(String(n));
    this.hasSwitched ||= attachments.some(({ how }) => how === "unread"); // then the notice is shown
    const detail = { attachments };
    this.el.dispatchEvent(new CustomEvent("attachments-read", { bubbles: true, detail }));
  }

  #write(text) {
    if (!this.#part("waiting").hidden) this.#doing.hide();
    this.#stream ??= this.#newStream();
    this.text += text;
    this.#stream.push(text);
  }

  #newStream() {
    return new (renderer().MarkdownStream)(this.#part("markdown"), {
      onDraw: renderer().drawFormulas,
      onBlock: (block) => this.#finish(block),
      cites: this.cites,
    });
  }

  /** Once more, with marks for the sources that the model did not name itself. */
  #drawProposed() {
    this.#part("markdown").replaceChildren();
    this.#stream = this.#newStream();
    this.#stream.push(withProposed(this.text, this.citations));
    this.#stream.end();
    this.#part("proposed").hidden = false;
  }

  get #isProposed() {
    return this.citations.some(({ is_proposed: proposed }) => proposed);
  }

  #finish(block) {
    renderer().enhance(block);
    if (this.#isProposed) markProposed(block);
    for (const chip of this.gone.size ? block.querySelectorAll(".cite") : []) {
      if (!this.gone.has(chip.textContent)) continue;
      chip.classList.add("gone");
      chip.ariaLabel = fill(gettext("Source %(n)s, not available"), { n: chip.textContent });
    }
  }

  #lose(n) {
    this.gone.add(String(n));
    this.cites.add(String(n));
  }

  #cite(citation) {
    this.citations.push(citation);
    this.cites.add(String(citation.n));
  }

  #end(status, { notice, reason, detail, model, is_offline: isOffline }) {
    if (this.ended) return;
    this.ended = true;
    this.#stream?.end();
    if (this.#isProposed) this.#drawProposed();
    this.#steps.thought();
    this.#doing.hide();
    this.el.dataset.status = status;
    this.model = model || this.usage?.model || "";
    this.#part("actions").hidden = false;
    this.el.querySelector("[data-copy]").hidden = !this.text;
    this.#showNotice(notice || reason || detail, isOffline ?? this.model === "offline");
    this.#showSources();
    showSupport(this);
    this.#offerMore(status);
    this.#part("meta").textContent = measures(this);
    this.onEnd(this);
  }

  #showNotice(said, isOffline) {
    const { status } = this.el.dataset;
    // An offline answer opens with its own label; only a model that failed needs saying again.
    const isLabelled = isOffline && this.text && !this.hasSwitched;
    const own = status === "stopped" && said ? "" : statusText(status);
    const text = [own, isLabelled ? "" : said].filter(Boolean).join(" ");
    const box = this.#part("notice");
    box.hidden = !text;
    box.classList.toggle("bad", status === "failed");
    box.classList.toggle("warn", status === "interrupted" || (status === "complete" && !isOffline));
    box.querySelector("[data-notice-text]").textContent = text;
    box.querySelector("[data-regenerate]").hidden = status === "complete" || status === "stopped";
  }

  /** What broke off can be gone on with, where there is something of it. */
  #offerMore(status) {
    const button = this.#part("continue");
    if (!button) return;
    const isCut = this.usage?.finish_reason === "length" || this.canContinue;
    button.hidden = !this.text || (status === "complete" && !isCut);
  }

  #showSources() {
    const count = this.citations.length ? this.sources.length : 0;
    this.#part("sources").hidden = !count;
    this.#part("sources-label").textContent = sourceCount(count);
  }
}

/** The Answer drawn in a thread element. */
export const answerOf = (el) => answers.get(el);

/** Stored steps are {kind, …data} or {kind, data}. */
function normalisedSteps(steps) {
  return (steps ?? []).map(({ kind, data, ...rest }) => ({ kind, data: data ?? rest }));
}
