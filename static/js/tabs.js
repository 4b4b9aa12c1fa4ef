// Several tabs in step: the sidebar follows changes made elsewhere, the look follows the settings.
import { list, refreshHistory, whenFree } from "./history.js";

const OLD_MS = 30_000; // a page that was out of sight for longer looks for itself
const LOOK = "look";

const channel = new BroadcastChannel("parley");
const waiting = new Set();
let hiddenAt = 0;

/** Runs now, or once when the page is looked at again. What fails is tried at the next change. */
export function whenSeen(run) {
  waiting.add(run);
  if (!document.hidden) runWaiting();
}

async function runWaiting() {
  const runs = [...waiting];
  waiting.clear();
  await Promise.allSettled(runs.map((run) => run()));
}

/** Pages without a socket hear of a change by those that have one. */
export function passOn() {
  channel.postMessage("changed");
}

/** Fetches the sidebar's list again, but never under the hands of a person. */
export function refreshSoon() {
  whenFree(() => whenSeen(refreshHistory));
}

/** Theme and language as the server has them; a page that learns of others first tells the rest. */
function keepLook() {
  const { lang, dataset } = document.documentElement;
  const look = `${dataset.theme} ${lang}`;
  if (localStorage.getItem(LOOK) !== look) localStorage.setItem(LOOK, look);
  addEventListener("storage", ({ key, newValue }) => key === LOOK && newValue && wear(newValue));
}

function wear(look) {
  const [theme, lang] = look.split(" ");
  document.documentElement.dataset.theme = theme;
  if (lang === document.documentElement.lang) return;
  const isWritten = document.querySelector(".edit, .rename, dialog[open], form[data-changed]");
  if (!isWritten) whenSeen(() => location.reload());
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else {
    if (hiddenAt && performance.now() - hiddenAt > OLD_MS) refreshSoon();
    runWaiting();
  }
});
document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (form && form.id !== "composer") form.dataset.changed = ""; // the message box keeps its draft
});
if (list) {
  keepLook();
  if (!document.getElementById("thread")) channel.addEventListener("message", refreshSoon);
}
