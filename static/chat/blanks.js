// The blanks of a prompt, `{{like this}}`: Tab goes from one to the next until all are filled in.
import { fill, gettext } from "../js/i18n.js";
import { isComposing } from "../js/keys.js";

const BLANK = /\{\{[ \t]*([^{}\s](?:[^{}\n]{0,38}[^{}\s])?)[ \t]*\}\}/g;

/** The blanks of a text in their order: `{name, start, end}`. */
export function blanksOf(text) {
  return [...text.matchAll(BLANK)].map((found) => ({
    name: found[1],
    start: found.index,
    end: found.index + found[0].length,
  }));
}

export class Blanks {
  #box;
  #note;
  #on = false;

  /** @param {HTMLElement} note says which blank it is, also to the eye */
  constructor(box, note) {
    this.#box = box;
    this.#note = note;
    box.addEventListener("input", () => this.#on && !blanksOf(box.value).length && this.#end());
  }

  /** Selects the first blank from `start` on, if there is one. */
  begin(start) {
    this.#on = true;
    if (!this.#select(this.#after(start))) this.#end();
  }

  /** Does what a key means for the blanks; false when the key is none of their business. */
  press(event) {
    if (!this.#on || isComposing(event)) return false;
    if (event.key === "Escape") this.#end();
    else if (event.key === "Tab") return this.#step(event);
    else if (event.key === "Enter" && !event.shiftKey) return this.#refuse(event);
    else return false;
    return eat(event);
  }

  #step(event) {
    const { selectionStart, selectionEnd } = this.#box;
    const next = event.shiftKey ? this.#before(selectionStart) : this.#after(selectionEnd);
    if (this.#select(next)) return eat(event);
    this.#end(); // Tab leaves the field, as always
    return false;
  }

  /** A question with a blank in it is sent by the second Enter only. */
  #refuse(event) {
    const blank = blanksOf(this.#box.value)[0];
    this.#end();
    if (!blank) return false;
    this.#box.setSelectionRange(blank.start, blank.end);
    this.#note.textContent = fill(
      gettext("“%(name)s” is not filled in yet. Press Enter again to send it as it is."),
      blank,
    );
    return eat(event);
  }

  #after(at) {
    return blanksOf(this.#box.value).find(({ start }) => start >= at);
  }

  #before(at) {
    return blanksOf(this.#box.value).findLast(({ end }) => end <= at);
  }

  #select(blank) {
    if (!blank) return false;
    this.#box.focus();
    this.#box.setSelectionRange(blank.start, blank.end);
    const text = gettext("Fill in “%(name)s”. Tab: next blank, Esc: done.");
    this.#note.textContent = fill(text, blank);
    return true;
  }

  #end() {
    this.#on = false;
    this.#note.textContent = "";
  }
}

function eat(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  return true;
}
