// The message box: grows, sends on Enter but never while an input method is composing, keeps a
// draft for each conversation, shows Stop in place of Send.
import { isComposing } from "../js/keys.js";
import { offerAttaching, sees } from "./attaching.js";
import { drafts } from "./drafts.js";
import { Tray } from "./tray.js";

export { isComposing };
const form = document.getElementById("composer");
const box = document.getElementById("message");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const note = document.getElementById("box-note");

export class Composer {
  #isWaiting = false; // for files that are being uploaded
  #isHeld = false; // by an answer that is being written, or because the conversation is gone
  #closed = ""; // why nothing is sent from here any more
  #say = null; // who hears what is sent while an answer is written
  #draftKey;
  #drafts = drafts;

  /** @param {{onSend: (text: string, files: object[]) => void, onStop: () => void, onUp: () => void}} hooks */
  constructor({ onSend, onStop, onUp }) {
    this.onSend = onSend;
    this.tray = new Tray({
      sees,
      onChange: () => this.#changed({ save: false }),
      onInline: (text) => this.fill([box.value, text].filter(Boolean).join("\n\n")),
    });
    offerAttaching(this.tray);
    this.useConversation(null);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    box.addEventListener("keydown", (event) => {
      if (isComposing(event)) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#submit();
      } else if (event.key === "ArrowUp" && !box.value) {
        event.preventDefault();
        onUp();
      }
    });
    box.addEventListener("input", () => this.#changed());
    stop.addEventListener("click", onStop);
    this.#changed({ save: false });
  }

  /** Drafts are kept under this conversation's id from now on. */
  useConversation(id) {
    this.#draftKey = `draft:${form.dataset.user}:${id ?? "new"}`;
    this.tray.useDraft(`${this.#draftKey}:files`, this.#drafts);
  }

  /** Drafts are kept there from now on; the other place forgets this one. */
  useStorage(place) {
    if (place === this.#drafts) return;
    this.#drafts.removeItem(this.#draftKey);
    this.#drafts = place;
    this.tray.useDraft(`${this.#draftKey}:files`, place);
    this.#changed();
  }

  restoreDraft() {
    const draft = this.#drafts.getItem(this.#draftKey);
    if (draft && !box.value) this.fill(draft);
    this.tray.restore();
  }

  fill(text) {
    box.value = text;
    this.#changed();
  }

  /** As if it had been written and sent; false where something else is being written. */
  send(text) {
    if (!this.#isEmpty) return false;
    this.fill(text);
    this.#submit();
    return true;
  }

  /** What stands nowhere else comes back, above what is being written. */
  keep(text) {
    this.fill([text, box.value].filter(Boolean).join("\n\n"));
  }

  /** A text that was not sent comes back, unless another is being written; and its files. */
  giveBack(text, files = []) {
    if (!box.value) this.fill(text);
    this.tray.giveBack(files);
  }

  /** What was given back is sent after all. */
  takeBack(text, files = []) {
    if (box.value.trim() === text) this.fill("");
    this.tray.takeBack(files);
  }

  /** Nothing is sent from here for this reason; without one it is again. What is written stays. */
  close(reason) {
    this.#closed = reason;
    this.#changed({ save: false });
  }

  /** What is written becomes the draft of a new conversation, after what is kept there. */
  takeAlong() {
    const text = box.value;
    this.fill("");
    this.useConversation(null);
    if (text) this.fill([this.#drafts.getItem(this.#draftKey), text].filter(Boolean).join("\n\n"));
  }

  focus() {
    box.focus();
  }

  /** From now on the keys are handled here; what was pressed before (`early.js`) is sent. */
  takeOver() {
    const { pressed } = form.dataset;
    form.dataset.ready = "";
    delete form.dataset.pressed;
    if (!pressed) return;
    const later = box.value.startsWith(pressed) ? box.value.slice(pressed.length) : "";
    if (later) this.fill(pressed);
    this.#submit();
    if (later) this.fill(box.value ? box.value + later : later.trimStart());
  }

  setRunning(running) {
    const focused = document.activeElement;
    if (!running) this.#say = null;
    send.hidden = running && !this.#say;
    stop.hidden = !running;
    if (focused === send && running) stop.focus();
    if (focused === stop && !running) box.focus();
    this.#changed({ save: false });
  }

  useFollowUp() {
    box.placeholder = box.dataset.followUp;
  }

  /** The answer that is being written hears what is sent: `say(text)`; Stop stays beside it. */
  steerBy(say) {
    this.#say = say;
    this.setRunning(true);
  }

  /** Neither words nor files: files alone are a question too. */
  get #isEmpty() {
    return !box.value.trim() && this.tray.isEmpty;
  }

  /** What stands in the way, if anything; the browser drops what is too long without a word. */
  get #said() {
    if (box.textLength >= box.maxLength) return box.dataset.full;
    if (this.#isHeld) return this.#closed || box.dataset.held;
    return this.#hears ? box.dataset.steered : "";
  }

  /** Words alone: files go with a question. */
  get #hears() {
    return this.#say && !this.#closed && box.value.trim() && this.tray.isEmpty;
  }

  get #mayNotSend() {
    return this.#closed || !stop.hidden;
  }

  #submit() {
    if (this.#isEmpty) return;
    if (this.#hears) return this.#tell();
    if (this.#mayNotSend) return this.#hold();
    if (this.tray.failed || this.tray.isBusy) return this.#wait();
    const text = box.value.trim();
    const files = this.tray.take();
    box.value = "";
    this.#changed();
    this.onSend(text, files);
  }

  #tell() {
    const text = box.value.trim();
    box.value = "";
    this.#changed();
    this.#say(text);
  }

  /** Says why nothing is sent, for as long as that is so. */
  #hold() {
    this.#isHeld = true;
    this.#changed({ save: false });
  }

  /** Sends when the files are there; one that cannot be sent has to go first. */
  #wait() {
    this.tray.complain();
    if (this.#isWaiting || this.tray.failed) return;
    this.#isWaiting = true;
    form.dataset.waiting = "";
    this.tray.whenIdle(() => {
      this.#isWaiting = false;
      delete form.dataset.waiting;
      this.#submit();
    });
  }

  #changed({ save = true } = {}) {
    send.setAttribute("aria-disabled", String(this.#isEmpty || Boolean(this.#closed)));
    this.#isHeld &&= this.#mayNotSend && !this.#isEmpty;
    if (note.textContent !== this.#said) note.textContent = this.#said;
    if (!CSS.supports("field-sizing", "content")) {
      box.style.height = "auto";
      box.style.height = `${box.scrollHeight}px`;
    }
    if (!save) return;
    if (box.value) this.#drafts.setItem(this.#draftKey, box.value);
    else this.#drafts.removeItem(this.#draftKey);
  }
}
