// Guardrails in the builder: a card for each rule, whose fields are those of its kind. What the
// server refuses is said in the card, and the rules stay as they were saved until it is mended.
import { gettext } from "../js/i18n.js";

const POINTER = /guardrails\/(\d+)\/(?:\w+\/)?(\w+)?/;

export class Guardrails {
  #box;
  #list;
  #rules;
  #template;

  /** @param {HTMLFormElement} form of the builder; `change` is called when a card is added or goes */
  constructor(form, change) {
    this.#box = form.querySelector("[data-guardrails]");
    this.#list = this.#box.querySelector("[data-list]");
    this.#rules = JSON.parse(document.getElementById("guardrail-kinds").textContent);
    this.#template = document.getElementById("guardrail-template");
    for (const rule of JSON.parse(document.getElementById("guardrails").textContent)) this.#add(rule);
    this.#box.querySelector("[data-add]").addEventListener("click", () => {
      const card = this.#add({ kind: "personal_data", places: ["input"], action: "mask" });
      card.open = true;
      card.querySelector("[data-part=name]").focus();
      change();
    });
    this.#box.addEventListener("click", (event) => {
      if (!event.target.closest("[data-drop]")) return;
      event.target.closest("[data-guardrail]").remove();
      change();
    });
    this.#box.addEventListener("input", (event) => {
      const card = event.target.closest("[data-guardrail]");
      this.#refuse(card, "");
      this.#show(card);
    });
  }

  /** What the cards say; null for the rules while one of them is not valid. */
  read() {
    const cards = [...this.#list.children];
    const isWhole = cards.every((card) => this.#isValid(card));
    return { rules: isWhole ? cards.map((card) => this.#said(card)) : null, isWhole };
  }

  /** Puts what the server refused into the cards; answers whether it was about any. */
  async refused(error) {
    if (error.status !== 422 || !error.response) return false;
    const { errors = [] } = await error.response.json();
    let isOurs = false;
    for (const { pointer = "", detail } of errors) {
      const [, n] = POINTER.exec(pointer) ?? [];
      const card = this.#list.children[n];
      if (!card) continue;
      this.#refuse(card, detail);
      card.open = isOurs = true;
    }
    return isOurs;
  }

  #add(rule) {
    const card = this.#template.content.cloneNode(true).firstElementChild;
    for (const field of card.querySelectorAll("[data-part]")) {
      const value = rule[field.dataset.part];
      if (value === undefined) continue;
      if (field.type === "checkbox" && Array.isArray(value)) field.checked = value.includes(field.value);
      else if (field.type === "checkbox") field.checked = value;
      else field.value = Array.isArray(value) ? value.join("\n") : value;
    }
    this.#list.append(card);
    this.#show(card);
    return card;
  }

  /** Only what this kind of rule can be is offered. */
  #show(card) {
    const part = (name) => card.querySelector(`[data-part=${name}]`);
    const kind = part("kind").value;
    const { actions, places, asks } = this.#rules[kind];
    for (const box of card.querySelectorAll("[data-of]")) box.hidden = !box.dataset.of.split(" ").includes(kind);
    for (const field of card.querySelectorAll("[data-part=places]")) {
      field.disabled = !places.includes(field.value);
      if (field.disabled) field.checked = false;
    }
    const chosen = [...card.querySelectorAll("[data-part=places]:checked")].map(({ value }) => value);
    const action = part("action");
    for (const option of action.options) {
      const isAsked = option.value !== "ask" || chosen.join() === "tool_call";
      option.disabled = !actions.includes(option.value) || !isAsked;
    }
    if (action.selectedOptions[0]?.disabled) action.value = [...action.options].find((option) => !option.disabled)?.value;
    card.querySelector("[data-failing]").hidden = !asks;
    card.querySelector("[data-title]").textContent = part("name").value || gettext("A new rule");
    const words = [part("kind").selectedOptions[0].textContent, action.selectedOptions[0]?.textContent];
    card.querySelector("[data-summary]").textContent = words.filter(Boolean).join(" · ");
  }

  #isValid(card) {
    if (card.querySelector("[data-error]").textContent) return false;
    const fields = [...card.querySelectorAll("[data-part]")].filter((field) => !field.closest("[hidden]"));
    const hasPlace = fields.some((field) => field.dataset.part === "places" && field.checked);
    let isValid = hasPlace;
    for (const field of fields) {
      const isRight = field.checkValidity();
      field.toggleAttribute("aria-invalid", false);
      if (!isRight) field.setAttribute("aria-invalid", "true");
      isValid &&= isRight;
    }
    return isValid;
  }

  #said(card) {
    const rule = {};
    for (const field of card.querySelectorAll("[data-part]")) {
      const { part, lines } = field.dataset;
      if (field.closest("[data-of][hidden]")) continue;
      if (field.type === "checkbox" && field.hasAttribute("value")) {
        rule[part] ??= [];
        if (field.checked) rule[part].push(field.value);
      } else if (field.type === "checkbox") rule[part] = field.checked;
      else if (lines !== undefined) rule[part] = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      else if (field.type === "number") rule[part] = Number(field.value);
      else rule[part] = field.value;
    }
    return rule;
  }

  #refuse(card, text) {
    const error = card.querySelector("[data-error]");
    error.textContent = text;
    error.hidden = !text;
  }
}
