// Search within a PDF: spaces, hyphens, width and case do not matter, in English and in Chinese.
import { occurrences, reduce } from "../js/text-match.js";

const MOST = 2000; // hits that are counted and can be stepped through

export class PdfFind extends EventTarget {
  #run = 0;
  #at = -1;

  constructor(view) {
    super();
    this.view = view;
    this.hits = [];
    this.isDone = true;
  }

  get position() {
    return this.#at + 1;
  }

  /** Looks through every page, from the current one on, and shows the first hit. */
  async search(text) {
    const run = ++this.#run;
    const needle = reduce(text).letters;
    this.hits = [];
    this.#at = -1;
    for (const page of this.view.pages) page.mark("found", []);
    this.#mark();
    this.isDone = !needle;
    this.#changed();
    if (!needle) return;
    const from = this.view.current;
    for (const page of this.view.pages) {
      const { letters } = await page.text();
      if (run !== this.#run) return;
      const spans = occurrences(needle, letters).map((at) => [at, at + needle.length]);
      page.mark("found", spans);
      this.hits.push(...spans.map((span) => ({ page: page.number, span })));
      if (this.#at < 0 && spans.length && page.number >= from) await this.#select(this.hits.length - spans.length);
      if (spans.length) this.#changed();
      if (this.hits.length >= MOST) break;
    }
    if (run !== this.#run) return;
    this.isDone = true;
    if (this.#at < 0 && this.hits.length) await this.#select(0);
    this.#changed();
  }

  async step(by) {
    if (!this.hits.length) return;
    await this.#select((this.#at + by + this.hits.length) % this.hits.length);
    this.#changed();
  }

  async #select(at) {
    this.#at = at;
    this.#mark();
    await this.view.reveal(this.hits[at].page, "current");
  }

  #mark() {
    const hit = this.hits[this.#at];
    for (const page of this.view.pages) {
      page.mark("current", hit?.page === page.number ? [hit.span] : []);
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
