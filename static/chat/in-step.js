// Keeps the open conversation in step with other tabs and people: what they ask, call it or delete.
import { conversationApi } from "../js/history.js";
import { fetchFragment, RequestFailed, sendJson } from "../js/http.js";
import { passOn, refreshSoon, whenSeen } from "../js/tabs.js";
import { isEndMissing } from "./stretches.js";
import { list } from "./thread.js";

const gone = document.getElementById("gone");
const newChat = gone.querySelector("a");

/**
 * @param {{conversation: () => string | null, isBusy: () => boolean, draw: () => void, composer: () => Composer | undefined}} page
 * @returns {() => void} to be called when an answer has ended: a change that came meanwhile is shown
 */
export function keepInStep(socket, page) {
  let missed = null;
  let looks = 0;
  let latest = 0; // the newest look that is on the page: an older one comes too late
  const isHeld = () => page.isBusy() || list.querySelector(".editing");

  async function catchUp() {
    const id = page.conversation();
    if (!id || isHeld()) return;
    const look = ++looks;
    const end = list.lastElementChild;
    const fresh = await fetchFragment(`/c/${id}/thread`);
    if (isEndMissing()) return; // it comes when the reader gets there
    if (look < latest || isHeld()) return; // a question is being sent from here meanwhile
    if (end !== list.lastElementChild) return catchUp(); // it was, and what came is older than it
    latest = look;
    missed = null;
    merge([...fresh.children]);
    page.draw();
  }

  const ACTS = {
    asked: ({ turn }) => {
      missed = turn;
      if (!isShown(turn)) whenSeen(catchUp);
    },
    renamed: ({ conversation }) => whenSeen(() => showTitle(conversation)),
    deleted: () => show(false, page.composer()),
    restored: () => show(true, page.composer()),
    shared: ({ conversation }) => whenSeen(() => look(conversation, page.composer())),
  };

  socket.addEventListener("changed", ({ detail }) => {
    refreshSoon();
    passOn();
    if (detail.conversation === page.conversation()) ACTS[detail.what]?.(detail);
  });
  newChat.addEventListener("click", () => page.composer()?.takeAlong());
  return {
    ended: () => missed && !isShown(missed) && whenSeen(catchUp),
    catchUp: () => whenSeen(catchUp),
  };
}

const isShown = (turn) => list.querySelector(`[data-turn="${turn}"]`) !== null;

/**
 * Takes what is new; messages that are the same stay as they are drawn, and those further up than
 * the end of the conversation that was fetched.
 */
function merge(fresh) {
  const first = list.querySelector(`:scope > [data-message="${fresh[0]?.dataset.message}"]`);
  const all = [...list.children];
  const shown = all.slice(Math.max(0, all.indexOf(first)));
  let same = 0;
  while (same < fresh.length && same < shown.length && isSame(shown[same], fresh[same])) same += 1;
  for (const old of shown.slice(same)) old.remove();
  document.getElementById("welcome")?.remove();
  list.append(...fresh.slice(same));
}

const isSame = (a, b) => stateOf(a) === stateOf(b);

/** What is drawn, and whether it still grows: of one message, or of answers side by side. */
function stateOf(el) {
  const parts = [el, ...el.querySelectorAll(".answer")].map(({ dataset }) => dataset);
  return parts.map(({ message, status, turn }) => `${message} ${status} ${status === "running" ? turn : ""}`).join();
}

async function showTitle(conversation) {
  const { title } = await sendJson("GET", conversationApi(conversation));
  if (!title) return;
  document.title = `${title} · Parley`;
  document.getElementById("conversation-title").textContent = title;
}

/** Whether the conversation is still shared with this person; if not, nothing is asked in it. */
async function look(conversation, composer) {
  let isThere = true;
  try {
    await sendJson("GET", conversationApi(conversation));
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.status !== 404) throw error;
    isThere = false;
  }
  show(isThere, composer);
}

/** What is being written stays where it is, to be copied or taken along, but is not sent from here. */
function show(isThere, composer) {
  gone.hidden = isThere;
  composer?.close(isThere ? "" : gone.querySelector("span").textContent);
}
