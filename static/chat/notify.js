// Tells a person who looks elsewhere that an answer has ended: by a mark in the title, and by a
// notification of the system if they chose that. Nobody is asked before a long answer has ended.
import { gettext } from "../js/i18n.js";
import { chooseNotifications, mayNotify, notify, wantsNotifications, wishKnown } from "../js/notifications.js";
import { toast } from "../js/toast.js";

const LONG_MS = 20_000;
const SHOWN = 140; // characters of the answer in a notification
const MARK = "● ";
const OFFER_MS = 20_000;

export class Notifier {
  #began = 0;
  #wasHidden = false;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#wasHidden = true;
      else this.#unmark();
    });
  }

  begin() {
    this.#began = performance.now();
    this.#wasHidden = document.hidden;
  }

  /** @param {string} text of the answer that has ended */
  end(text) {
    const isLong = performance.now() - this.#began > LONG_MS;
    if (document.hidden) this.#tell(text);
    if (isLong && this.#wasHidden && mayNotify() && !wishKnown()) this.#offer();
  }

  #tell(text) {
    if (!document.title.startsWith(MARK)) document.title = MARK + document.title;
    if (!wantsNotifications()) return;
    const title = document.getElementById("conversation-title").textContent;
    notify(title, text.replace(/\s+/g, " ").slice(0, SHOWN));
  }

  #unmark() {
    if (document.title.startsWith(MARK)) document.title = document.title.slice(MARK.length);
  }

  #offer() {
    toast(gettext("Shall Parley tell you when a long answer is ready?"), {
      label: gettext("Notify me"),
      action: () => chooseNotifications(true),
      life: OFFER_MS,
    });
  }
}
