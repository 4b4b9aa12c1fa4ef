// A list of options that is steered from a text field. The focus stays in the field, so that typing
// goes on; the field says which option is active (aria-activedescendant).
import { fill, ngettext } from "./i18n.js";
import { icon } from "./icon.js";
import { isComposing } from "./keys.js";
import { marksOf } from "./matching.js";

/**
 * @typedef {object} Option
 * @property {string} id one within the list
 * @property {string} name
 * @property {string} [detail] a second line
 * @property {string} [icon]
 * @property {string} [hint] at the end of the line, for a shortcut
 * @property {[number, number][]} [marks] of the name, and detailMarks; else where the query stands
 */
export class Listbox {
  #box;
  #field;
  #options = new Map(); // element -> option
  #active = null;

  /**
   * @param {HTMLElement} box has role=listbox
   * @param {{status: HTMLElement, onPick: (option: Option) => void, onClose?: () => void,
   *   picksWithTab?: boolean}} hooks `status` says how many there are
   */
  constructor(box, field, { status, onPick, onClose, picksWithTab = false }) {
    this.#box = box;
    this.#field = field;
    Object.assign(this, { status, onPick, onClose, picksWithTab });
    box.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps focus
    box.addEventListener("click", ({ target }) => this.#pick(target.closest("[role=option]")));
    box.addEventListener("mousemove", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option && option !== this.#active) this.#activate(option, { scroll: false });
    });
  }

  get isOpen() {
    return !this.#box.hidden;
  }

  /** Shows groups `{title, options}`; the option that was active stays so if it is there still. */
  show(groups, query = "") {
    const before = this.#active?.dataset.option;
    this.#options.clear();
    const filled = groups.filter(({ options }) => options.length);
    this.#box.replaceChildren(...filled.map((group, n) => this.#group(group, n, query)));
    const elements = [...this.#options.keys()];
    this.#box.hidden = elements.length === 0;
    this.#box.scrollTop = 0;
    this.#say(elements.length);
    this.#activate(elements.find(({ dataset }) => dataset.option === before) ?? elements[0] ?? null);
    this.#expanded(this.isOpen);
  }

  close() {
    if (!this.isOpen) return;
    this.#box.hidden = true;
    this.#activate(null);
    this.#expanded(false);
    this.status.textContent = "";
    this.onClose?.();
  }

  /** Does what a key means for the list; false when the key is none of its business. */
  press(event) {
    if (!this.isOpen || isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) {
      return false;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const picks = event.key === "Enter" || (event.key === "Tab" && this.picksWithTab);
    if (step) this.#move(step);
    else if (picks && !event.shiftKey) this.#pick(this.#active);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    return true;
  }

  #move(step) {
    const all = [...this.#options.keys()];
    const next = all.indexOf(this.#active) + step;
    this.#activate(all.at(next % all.length));
  }

  #pick(element) {
    const option = this.#options.get(element);
    if (option) this.onPick(option);
  }

  #activate(element, { scroll = true } = {}) {
    this.#active?.setAttribute("aria-selected", "false");
    this.#active = element;
    if (!element) return this.#field.removeAttribute("aria-activedescendant");
    element.setAttribute("aria-selected", "true");
    this.#field.setAttribute("aria-activedescendant", element.id);
    if (scroll) element.scrollIntoView({ block: "nearest" });
  }

  #expanded(open) {
    // A text area is a textbox to assistive technology: it cannot be expanded, a combobox can.
    if (this.#field.role === "combobox") this.#field.setAttribute("aria-expanded", String(open));
  }

  #say(count) {
    const text = ngettext("%(n)s suggestion", "%(n)s suggestions", count);
    this.status.textContent = count ? fill(text, { n: count }) : "";
  }

  #group({ title, options }, n, query) {
    const group = document.createElement("div");
    const heading = document.createElement("div");
    group.role = "group";
    heading.className = "heading";
    heading.id = `${this.#box.id}-group-${n}`;
    heading.textContent = title;
    group.setAttribute("aria-labelledby", heading.id);
    group.append(heading, ...options.map((option) => this.#option(option, query)));
    return group;
  }

  #option(option, query) {
    const element = document.createElement("div");
    element.className = "option";
    element.role = "option";
    element.id = `${this.#box.id}-option-${this.#options.size}`;
    element.dataset.option = option.id;
    element.setAttribute("aria-selected", "false");
    if (option.face) element.append(option.face.cloneNode(true));
    else if (option.icon) element.append(icon(option.icon));
    element.append(words(option, query));
    if (option.hint) element.append(hint(option.hint));
    this.#options.set(element, option);
    return element;
  }
}

function words({ name, detail, marks, detailMarks }, query) {
  const box = document.createElement("span");
  box.className = "grow";
  box.append(marked("span", name, marks ?? marksOf(query, name)));
  if (detail) box.append(marked("small", detail, detailMarks ?? marksOf(query, detail)));
  return box;
}

/** The text in an element, what was found in it in bold. */
function marked(tag, text, marks) {
  const element = document.createElement(tag);
  element.className = "clip";
  const signs = [...text]; // marks count characters, as Python does, not code units
  const isPlain = signs.length === text.length;
  const cut = (start, end) => (isPlain ? text.slice(start, end) : signs.slice(start, end).join(""));
  let at = 0;
  for (const [start, end] of marks) {
    const bold = document.createElement("b");
    bold.textContent = cut(start, end);
    element.append(cut(at, start), bold);
    at = end;
  }
  element.append(cut(at));
  return element;
}

function hint(text) {
  const element = document.createElement("span");
  element.className = "muted hint-keys";
  element.textContent = text;
  return element;
}
