// A temporary chat on the page: the switch that begins one, the mark while it lasts, keeping it and
// ending it. The server is told when the page comes and goes: it deletes what no page shows.
import { confirmAction } from "../js/dialog.js";
import { attempt, conversationApi, refreshHistory } from "../js/history.js";
import { csrfToken, sendJson } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { drafts } from "./drafts.js";
import { offerSharing } from "./share-button.js";
import { offerTakeaway } from "./takeaway.js";

const bar = document.getElementById("temporary");
const toggle = document.getElementById("temporary-switch");
const visit = [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
let conversation = null; // the temporary one on the page, once it has begun
let composer = null;

export const isTemporary = () => bar !== null && !bar.hidden;

/** What a question carries that begins a conversation: nothing, or that it is temporary. */
export const lifetime = () => (isTemporary() && !conversation ? { temporary: true } : {});

/** Puts the mark on the page that has it to have, and makes the switch work. */
export function offerTemporary(messageBox) {
  composer = messageBox;
  if (!bar) return;
  toggle?.addEventListener("click", () => mark(bar.hidden));
  if (bar.dataset.conversation) beginTemporary(bar.dataset.conversation);
  else if (new URL(location).searchParams.has("temporary")) mark(true);
}

/** The first question was accepted: what the conversation is cannot be switched any more. */
export function settleLifetime() {
  if (toggle) toggle.hidden = true;
}

/** The first question of a temporary one was accepted: there is something to keep or to end. */
export function beginTemporary(id) {
  conversation = id;
  mark(true);
  settleLifetime();
  bar.querySelector("[data-begun]").hidden = false;
  tell();
}

/** A new temporary chat, from wherever the person is: for the palette. */
export const startTemporary = () => location.assign("/?temporary");

function mark(on) {
  bar.hidden = !on;
  document.documentElement.toggleAttribute("data-temporary", on);
  toggle?.setAttribute("aria-pressed", String(on));
  composer?.useStorage(on ? sessionStorage : drafts);
}

function tell(leaving = false) {
  const body = new URLSearchParams({ visit });
  if (leaving) body.set("leaving", "");
  const headers = { "X-CSRFToken": csrfToken() };
  const told = fetch(`/c/${conversation}/visits`, { method: "POST", body, headers, keepalive: true });
  told.catch(() => {}); // it ends by itself then
}

async function keep() {
  const { id, title } = await sendJson("POST", `${conversationApi(conversation)}/keep`);
  conversation = null;
  mark(false);
  document.title = `${title} · Parley`;
  document.getElementById("conversation-title").textContent = title;
  offerTakeaway(id);
  offerSharing(id);
  toast(gettext("This conversation is kept."));
  await refreshHistory();
}

async function end() {
  const sure = await confirmAction({
    title: gettext("Delete this chat now?"),
    text: gettext("Nothing of it stays; this cannot be undone."),
    yes: gettext("Delete"),
  });
  if (!sure) return;
  await sendJson("DELETE", conversationApi(conversation));
  conversation = null;
  location.assign("/");
}

if (bar) {
  bar.querySelector("[data-keep]").addEventListener("click", () => attempt(keep));
  bar.querySelector("[data-end]").addEventListener("click", () => attempt(end));
  addEventListener("pagehide", () => conversation && tell(true));
  addEventListener("pageshow", ({ persisted }) => persisted && conversation && tell());
}
