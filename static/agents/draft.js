// A draft that saves itself: what changed a moment ago is sent, one request at a time. What is not
// valid is marked and left out; when somebody else was faster, nothing is sent until a person says
// whose words count.
import { csrfToken, fetchJson, sendJson } from "../js/http.js";

const PAUSE_MS = 500;

export class Draft extends EventTarget {
  /** `read` gives what the form says: the valid part of it, and whether that is all. */
  constructor(api, revision, read) {
    super();
    this.url = `${api}/draft`;
    this.revision = revision;
    this.read = read;
    this.timer = 0;
    this.saving = null; // the request that is under way
    this.isDirty = false;
    this.isHeld = false; // somebody else has saved: waiting for a decision
  }

  change() {
    this.isDirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** Resolves when all that was written is saved, to whether it is. */
  async flush() {
    clearTimeout(this.timer);
    if (this.saving) await this.saving;
    if (!this.isDirty || this.isHeld) return !this.isDirty;
    this.saving = this.#save();
    await this.saving;
    this.saving = null;
    return !this.isDirty;
  }

  async #save() {
    const { content, isWhole } = this.read();
    this.isDirty = false;
    this.#tell("saving");
    try {
      this.take(await sendJson("PATCH", this.url, { revision: this.revision, content }));
      this.#tell("saved", { isWhole });
    } catch (error) {
      this.isDirty = true;
      this.isHeld = error.status === 409;
      this.#tell(this.isHeld ? "conflict" : "failed", { error });
    }
  }

  /** What the server says the draft is now. */
  take(draft) {
    this.revision = draft.revision;
    this.#tell("state", { draft });
  }

  /** What is written here counts. */
  async saveOver() {
    this.revision = (await fetchJson(this.url)).revision;
    this.isHeld = false;
    return this.flush();
  }

  /** Whether words would be lost that cannot go along when the page goes. */
  get isAtRisk() {
    return Boolean(this.saving) || this.isHeld;
  }

  /** The page goes: what is not sent yet goes along. */
  leave() {
    if (!this.isDirty || this.isHeld) return;
    const body = JSON.stringify({ revision: this.revision, content: this.read().content });
    const headers = { "X-CSRFToken": csrfToken(), "Content-Type": "application/json" };
    fetch(this.url, { method: "PATCH", body, headers, keepalive: true }).catch(() => {});
    this.isDirty = false;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const KINDS = {
  text: (field) => field.value,
  number: (field) => Number(field.value),
  flag: (field) => (field.checked ? field.value === "true" : undefined),
};

/** The content of the form's fields by their names, without those that are not valid. */
export function contentOf(form) {
  const content = { collections: [], tools: [], helpers: [], starters: [], understanding: {}, limits: {}, decoding: {} };
  let isWhole = true;
  for (const field of form.querySelectorAll("[data-kind]")) {
    const isValid = field.checkValidity();
    field.toggleAttribute("aria-invalid", false);
    if (!isValid) field.setAttribute("aria-invalid", "true");
    isWhole &&= isValid;
    if (isValid) put(content, field);
  }
  return { content, isWhole };
}

/** A number, a text, or the lines of one; empty where nothing is said. */
function decoded(field) {
  const text = field.value.trim();
  if (field.type === "textarea") return text.split("\n").map((line) => line.trim()).filter(Boolean);
  return field.type === "number" && text ? Number(text) : text;
}

function put(content, field) {
  const { kind } = field.dataset;
  if (kind === "switch") {
    if (field.value) content.understanding[field.dataset.switch] = field.value === "on";
  } else if (kind === "helper") {
    const when = field.closest("[data-helper]").querySelector("[data-when]").value.trim();
    if (field.checked) content.helpers.push({ agent: field.value, way: field.dataset.way, when });
  } else if (kind === "limit") {
    if (field.value) content.limits[field.dataset.limit] = Number(field.value);
  } else if (kind === "decoding") {
    const said = decoded(field);
    if (said.length !== 0) content.decoding[field.dataset.control] = said;
  } else if (kind === "list") {
    const isOn = field.type === "checkbox" ? field.checked : field.value.trim() !== "";
    if (isOn) content[field.name].push(field.value);
  } else {
    const value = KINDS[kind](field);
    if (value !== undefined) content[field.name] = value;
  }
}
