// What the person says to an answer while it is written: its agent reads it at its next step.
import { fetchJson } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { announce } from "./announce.js";
import { newId, running, socket, talk } from "./talk.js";

const ENDED = ["message_completed", "turn_interrupted", "turn_failed", "turn_stopped"];
const TOO_LATE = "too-late-to-say";

/** Lets the message box speak to this answer as long as it is written; twice is once. */
export function steer(answer) {
  if (answer.hear || !answer.isRunning) return;
  const notes = new Notes(answer);
  answer.hear = (kind, data) => notes.hear(kind, data);
  if (running.size === 1) talk.composer?.steerBy((text) => notes.say(text));
  notes.look();
}

/** The notes of one answer that nobody has heard yet, below what is written. */
class Notes {
  #answer;
  #list = document.createElement("ul");
  #rows = new Map(); // by id

  constructor(answer) {
    this.#answer = answer;
    this.#list.className = "notes";
    this.#list.setAttribute("role", "list");
    answer.el.querySelector("[data-waiting]").after(this.#list);
    socket.addEventListener("changed", ({ detail }) => this.#follow(detail));
  }

  get #turn() {
    return this.#answer.el.dataset.turn;
  }

  async say(text) {
    const row = this.#show(text);
    try {
      const { note_id: id } = await socket.steer({ id: newId(), turn_id: this.#turn, text });
      if (this.#rows.has(id)) row.remove(); // it was seen meanwhile, or heard
      else this.#rows.set(id, row);
      announce(gettext("The agent reads this at its next step."));
    } catch (error) {
      if (!row.parentNode) return; // it was given back meanwhile
      row.remove();
      if (error.problem === TOO_LATE && !running.size && talk.composer?.send(text)) return;
      talk.composer?.keep(text);
      toast(error.message, { kind: "bad" });
    }
  }

  /** One event of the turn. */
  hear(kind, data) {
    if (kind === "note_taken") this.#forget(data.note_id);
    if (kind === "turn_stopped") this.#giveBack();
    if (ENDED.includes(kind)) this.#hasEnded = true;
  }

  /** Those that were said before the page was loaded, or elsewhere. */
  async look() {
    try {
      for (const { id, text, status } of await fetchJson(`/api/v1/turns/${this.#turn}/notes`)) {
        if (status === "waiting" && !this.#rows.has(id)) this.#rows.set(id, this.#show(text));
      }
    } catch {
      // they stand where they are taken up, or asked
    }
  }

  #hasEnded = false;

  #follow({ what, turn }) {
    if (what === "noted" && turn === this.#turn && !this.#hasEnded) this.look();
    if (what === "asked" && this.#hasEnded) this.#list.remove();
  }

  #show(text) {
    const row = document.createElement("li");
    const bubble = document.createElement("div");
    const state = document.createElement("small");
    bubble.className = "bubble";
    bubble.textContent = text;
    state.textContent = gettext("Waits for the agent’s next step");
    row.append(bubble, state);
    this.#list.append(row);
    return row;
  }

  #forget(id) {
    this.#rows.get(id)?.remove();
    this.#rows.set(id, null);
  }

  /** Who stops an answer has the words again that it did not hear. */
  #giveBack() {
    const left = [...this.#list.children].map((row) => row.querySelector(".bubble").textContent);
    this.#list.replaceChildren();
    this.#list.remove();
    if (left.length) talk.composer?.keep(left.join("\n\n"));
  }
}
