// The line under an answer's steps while it is not writing yet: what is being done, and for how
// long once that is worth knowing.
import { duration } from "./steps.js";

const WORTH_KNOWING_MS = 3000;

export class Doing {
  #el;
  #text;
  #timer = 0;

  /** @param {HTMLElement} el with a [data-doing] for the words */
  constructor(el) {
    this.#el = el;
    this.#text = el.querySelector("[data-doing]");
  }

  /** Says it from now on; the same words again change nothing. */
  show(words = "") {
    this.#el.hidden = false;
    if (this.#text.dataset.doing === words && this.#timer) return;
    this.#text.dataset.doing = words;
    this.#text.textContent = words;
    const since = performance.now();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(since), 1000);
  }

  hide() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#el.hidden = true;
  }

  #tick(since) {
    if (!this.#el.isConnected) return clearInterval(this.#timer);
    const words = this.#text.dataset.doing;
    const took = Math.round((performance.now() - since) / 1000) * 1000;
    if (words && took >= WORTH_KNOWING_MS) this.#text.textContent = `${words} ${duration(took)}`;
  }
}
