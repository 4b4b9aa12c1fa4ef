// The menus of the message box: `/` saved prompts, `@` an agent for this question, `#` a collection.
import { gettext } from "../js/i18n.js";
import { isComposing } from "../js/keys.js";
import { Listbox } from "../js/listbox.js";
import { matching } from "../js/matching.js";
import { recentFirst, remember } from "../js/recent.js";
import { Blanks } from "./blanks.js";
import { addCollection, agents, askOnce, collections } from "./pickers.js";
import { loadPrompts } from "./prompts.js";
import { triggerAt } from "./trigger.js";
import "./typing.js";

const MOST = 50;
const MANAGE = "manage";
const box = document.getElementById("message");
const note = document.getElementById("composer-note");
let trigger = null;
let list = null;
let blanks = null;
let dismissed = -1; // where the sign stands whose list was closed with Escape

const KINDS = {
  prompt: {
    async groups(query) {
      const { prompts, areExamples } = await loadPrompts();
      const title = areExamples ? gettext("Examples") : gettext("Saved prompts");
      const options = found("prompt", query, prompts.map(promptOption));
      const manage = { id: MANAGE, name: gettext("Manage saved prompts"), icon: "settings" };
      const isWanted = !query || options.length > 0;
      return [
        { title, options },
        { title: gettext("More"), options: isWanted ? [manage] : [] },
      ];
    },
    pick({ id, text }) {
      if (id === MANAGE) return location.assign("/prompts/");
      remember("prompt", id);
      const { start } = trigger;
      insert(text);
      blanks.begin(start);
    },
  },
  agent: {
    async groups(query) {
      const options = agents().map((one) => ({ ...one, icon: "sparkles" }));
      return [{ title: gettext("Ask this once"), options: found("agent", query, options) }];
    },
    pick({ id }) {
      insert("");
      askOnce(id);
    },
  },
  collection: {
    async groups(query) {
      const options = collections().map((one) => ({ ...one, icon: "library" }));
      return [{ title: gettext("Search in"), options: found("collection", query, options) }];
    },
    pick({ id }) {
      insert("");
      addCollection(id);
    },
  },
};

const promptOption = ({ id, name, text }) => ({ id, name, text, detail: text.slice(0, 200), icon: "bookmark" });

const found = (kind, query, options) => matching(query, recentFirst(kind, options)).slice(0, MOST);

/** Puts `text` where the sign and its word are; the browser can undo it. */
function insert(text) {
  box.focus();
  box.setSelectionRange(trigger.start, trigger.end);
  const command = text ? "insertText" : "delete";
  if (document.execCommand(command, false, text)) return;
  box.setRangeText(text, trigger.start, trigger.end, "end");
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

async function look() {
  const now = box.selectionStart === box.selectionEnd ? triggerAt(box.value, box.selectionStart) : null;
  if (now?.start !== dismissed) dismissed = -1;
  trigger = now;
  if (!now || dismissed >= 0) return list.close();
  let groups;
  try {
    groups = await KINDS[now.kind].groups(now.query);
  } catch {
    groups = []; // offline: writing goes on
  }
  if (trigger === now) list.show(groups, now.query);
}

/** Opens the prompts as if their sign had been typed at the end, for those who do not type. */
function offerPrompts() {
  box.focus();
  const end = box.value.length;
  box.setSelectionRange(end, end);
  document.execCommand("insertText", false, /\S$/.test(box.value) ? " /" : "/");
}

/** A prompt that was chosen elsewhere: in the palette, on the page of prompts. */
async function use(id) {
  const { prompts } = await loadPrompts();
  const prompt = prompts.find((one) => one.id === id);
  if (!prompt) return;
  trigger = { start: box.selectionStart, end: box.selectionEnd };
  KINDS.prompt.pick(prompt);
}

function press(event) {
  if (event.key === "Escape" && list.isOpen) dismissed = trigger.start;
  return list.press(event) || blanks.press(event);
}

function listen() {
  box.addEventListener("keydown", press, true); // before the box itself: there Enter sends
  box.addEventListener("input", (event) => {
    note.textContent = "";
    if (!event.isComposing) look();
  });
  box.addEventListener("compositionend", look);
  box.addEventListener("click", look);
  box.addEventListener("keyup", (event) => {
    const moves = ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key);
    if (moves && !isComposing(event)) look();
  });
  box.addEventListener("blur", () => list.close());
  document.getElementById("prompt-button").addEventListener("click", offerPrompts);
  document.addEventListener("prompt:use", (event) => {
    event.preventDefault();
    use(event.detail);
  });
}

if (box) {
  blanks = new Blanks(box, note);
  list = new Listbox(document.getElementById("composer-list"), box, {
    status: document.getElementById("composer-status"),
    picksWithTab: true,
    onPick(option) {
      list.close();
      KINDS[trigger.kind].pick(option);
    },
  });
  listen();
  const chosen = new URL(location).searchParams.get("prompt");
  if (chosen) {
    history.replaceState(null, "", location.pathname); // a reload must not insert it again
    addEventListener("load", () => use(chosen), { once: true });
  }
}
