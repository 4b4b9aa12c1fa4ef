// The tray above the message box: what the next question carries. Chips with name, size, picture and
// progress; kept with the draft; errors in words, before the upload where they can be known.
import { fill, gettext, ngettext } from "../js/i18n.js";
import { drafts } from "./drafts.js";
import { drawChip, removeChip, tellChip } from "./tray-chip.js";
import { discard, follow, look, refusal, sizeOf, upload } from "./uploading.js";

const AT_ONCE = 2;
const box = document.getElementById("tray-box");
const list = document.getElementById("tray");
const note = document.getElementById("tray-note");
const status = document.getElementById("tray-status");
const isImage = ({ type, kind }) => kind === "image" || Boolean(type?.startsWith("image/"));

export class Tray {
  #items = [];
  #waiting = [];
  #sending = 0;
  #idle = []; // called once when nothing is being uploaded any more
  #key = "";
  #store = drafts;

  /** @param {{onChange: () => void, sees: () => boolean, onInline: (text: string) => void}} hooks */
  constructor({ onChange, sees, onInline }) {
    this.onChange = onChange;
    this.sees = sees;
    this.onInline = onInline;
  }

  get isEmpty() {
    return !this.#items.length;
  }

  get isBusy() {
    return this.#sending + this.#waiting.length > 0;
  }

  /** A chip that stands in the way of sending: the file was not taken, or cannot be read. */
  get failed() {
    return this.#items.find(({ state }) => state === "failed")?.row ?? null;
  }

  /** Calls back when every upload has ended. */
  whenIdle(act) {
    this.#idle.push(act);
  }

  /** Puts files into the tray; `text` is what was pasted and can be put into the message instead. */
  add(files, { text } = {}) {
    for (const file of files) {
      const item = { file, name: file.name, size: file.size, isImage: isImage(file), text };
      this.#show(item);
      const isFull = this.#items.length > Number(box.dataset.most);
      const reason = isFull ? tooMany() : refusal(file);
      if (reason) this.#fail(item, reason, false);
      else this.#enqueue(item);
    }
    this.#changed();
  }

  /** The files of the question that is being sent; the tray is empty after that. */
  take() {
    const taken = this.#items.map(({ id, name, size, isImage: seen }) => ({ id, name, size, isImage: seen }));
    this.#clear();
    return taken;
  }

  /** Files that were not sent come back, unless others are there. */
  giveBack(files) {
    if (this.isEmpty) this.#fill(files);
  }

  /** What was given back is sent after all. */
  takeBack(files) {
    const ids = new Set(files.map(({ id }) => id));
    if (this.#items.every(({ id }) => ids.has(id))) this.#clear();
  }

  /** Kept under this name and in this place from now on. */
  useDraft(key, store) {
    if (!this.isEmpty) this.#store.removeItem(this.#key);
    [this.#key, this.#store] = [key, store];
    if (!this.isEmpty) this.#save();
  }

  /** Why nothing is sent yet: said, and the focus on what to do about it. */
  complain() {
    const { failed } = this;
    if (!failed) return void (status.textContent = gettext("The question is sent when the files are uploaded."));
    status.textContent = gettext("Remove the file that cannot be sent, or try it again.");
    failed.querySelector("[data-again]:not([hidden]), [data-remove]").focus();
  }

  /** After a reload: what the draft had, as far as the server still has it. */
  restore() {
    const kept = JSON.parse(this.#store.getItem(this.#key) ?? "[]");
    if (this.isEmpty) this.#fill(kept);
  }

  /** Says before sending when the model that was chosen will not see the images. */
  warn() {
    note.hidden = !this.#items.some((item) => item.isImage && item.state !== "failed") || this.sees();
  }

  #fill(files) {
    for (const file of files) {
      const item = { ...file, state: "reading" };
      this.#show(item);
      this.#look(item);
    }
    this.#changed();
  }

  async #look(item) {
    this.#state(item, "reading", gettext("Checking"));
    try {
      const found = await look(item.id);
      if (found) this.#read(item, found);
      else this.#fail(item, gettext("This file is gone."), false);
    } catch {
      this.#state(item, "ready", sizeOf(item.size)); // the question will tell
    }
  }

  #show(item) {
    drawChip(item, {
      remove: () => this.#remove(item),
      again: () => this.#enqueue(item),
      inline: () => this.#putInline(item),
    });
    list.append(item.row);
    this.#items.push(item);
  }

  #enqueue(item) {
    this.#state(item, "waiting", gettext("Waiting"));
    this.#waiting.push(item);
    this.#next();
  }

  #next() {
    while (this.#sending < AT_ONCE && this.#waiting.length) this.#send(this.#waiting.shift());
  }

  #send(item) {
    this.#sending += 1;
    item.part("bar").hidden = false;
    this.#state(item, "sending", sizeOf(item.size));
    item.stop = upload(item.file, {
      progress: (percent) => (item.part("bar").value = percent),
      ended: (attachment, reason, canRetry) => {
        item.stop = null;
        if (attachment) this.#read(Object.assign(item, { id: attachment.id }), attachment);
        else this.#fail(item, reason, canRetry);
        this.#settle();
      },
    });
  }

  #settle() {
    this.#sending -= 1;
    this.#next();
    this.#changed();
    if (this.isBusy) return;
    for (const act of this.#idle.splice(0)) act();
  }

  #read(item, attachment) {
    item.part("bar").hidden = true;
    item.size = attachment.size;
    const show = ({ status: state, reason, size }) => {
      if (state === "failed") return this.#fail(item, reason, false);
      if (state === "ready") return this.#state(item, "ready", sizeOf(size));
      return this.#state(item, "reading", gettext("Reading…"));
    };
    show(attachment);
    follow(attachment, show, () => item.row.isConnected);
  }

  #fail(item, reason, canRetry) {
    item.part("bar").hidden = true;
    item.part("again").hidden = !canRetry;
    this.#state(item, "failed", reason);
    this.#changed();
  }

  #state(item, state, text) {
    if (item.state === state && item.part("text").textContent === text) return;
    tellChip(item, state, text);
    if (state !== "waiting") status.textContent = `${item.name}: ${text}`;
  }

  #remove(item) {
    const at = this.#items.indexOf(item);
    this.#forget(item);
    if (item.id) discard(item.id);
    status.textContent = fill(gettext("%(name)s is removed"), { name: item.name });
    const next = this.#items[at] ?? this.#items[at - 1];
    (next?.part("remove") ?? document.getElementById("message")).focus();
  }

  #putInline(item) {
    this.#forget(item);
    if (item.id) discard(item.id);
    this.onInline(item.text);
  }

  #forget(item) {
    this.#items.splice(this.#items.indexOf(item), 1);
    const waiting = this.#waiting.indexOf(item);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    removeChip(item);
    if (item.stop) {
      item.stop();
      this.#settle();
    }
    this.#changed();
  }

  #clear() {
    this.#items.forEach(removeChip);
    this.#items = [];
    this.#changed();
  }

  #changed() {
    list.hidden = this.isEmpty;
    this.warn();
    this.#save();
    this.onChange();
  }

  #save() {
    const kept = this.#items.filter(({ id, state }) => id && state !== "failed");
    const told = kept.map(({ id, name, size, isImage: seen }) => ({ id, name, size, isImage: seen }));
    if (told.length) this.#store.setItem(this.#key, JSON.stringify(told));
    else if (this.#key) this.#store.removeItem(this.#key);
  }
}

function tooMany() {
  const most = Number(box.dataset.most);
  const text = ngettext(
    "A question carries at most %(n)s file.",
    "A question carries at most %(n)s files.",
    most,
  );
  return fill(text, { n: most });
}
