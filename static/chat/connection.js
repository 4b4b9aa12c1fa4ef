// What the chat page says about its connection, and what becomes of a question meanwhile.
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const QUIET_MS = 1500; // a short drop is nobody's business
const RESTART_MS = 10_000; // a server that said it would restart is given longer

const banner = document.getElementById("offline");

/**
 * Shows and hides the banner. `onBack` runs when a connection that was lost is there again, or came
 * late: what changed meanwhile was not heard.
 */
export function watchConnection(socket, { onBack, onSignedOut }) {
  let shown = 0;
  let wasLost = false;
  socket.addEventListener("state", ({ detail: state }) => {
    if (state === "signed-out") return onSignedOut();
    if (state === "open") {
      clearTimeout(shown);
      shown = 0;
      banner.hidden = true;
      if (wasLost || performance.now() > QUIET_MS) onBack();
      wasLost = false;
      return;
    }
    wasLost = true;
    if (!banner.hidden) say(state);
    shown ||= setTimeout(() => say(state), state === "restarting" ? RESTART_MS : QUIET_MS);
  });
  banner.querySelector("[data-reconnect]").addEventListener("click", () => socket.reconnect());
}

function say(state) {
  banner.querySelector("[data-text]").textContent = words(state);
  banner.hidden = false;
}

function words(state) {
  if (!navigator.onLine) {
    return gettext("You are offline. Answers go on without you, and what you write is kept.");
  }
  if (state === "restarting") {
    return gettext("Parley is restarting. Nothing that was written is lost.");
  }
  return gettext("The connection is lost. Reconnecting… Nothing that was written is lost.");
}

/** Offers, while there is no connection, to send a question as soon as there is one again. */
export function offerLater(socket, button, send) {
  if (!socket.isAway) return;
  const back = ({ detail: state }) => state === "open" && isWanted() && leave(send);
  const isWanted = () => button.getAttribute("aria-pressed") === "true";
  const leave = (then) => {
    socket.removeEventListener("state", back);
    if (button.isConnected) then();
  };
  button.hidden = false;
  button.addEventListener("click", () => button.setAttribute("aria-pressed", String(!isWanted())));
  socket.addEventListener("state", back);
}

/** To the sign-in page and back here; drafts are in this browser's storage. */
export function signInAgain() {
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`/accounts/login/?kept=1&next=${next}`);
}

/** After an upgrade an open page still has the old scripts: says so once, and waits for the person. */
export function offerNewVersion(version) {
  const meta = document.querySelector('meta[name="version"]');
  if (!meta.content || meta.content === version) return;
  meta.content = "";
  toast(gettext("Parley was updated."), {
    label: gettext("Reload for the new version"),
    action: () => location.reload(),
    life: Infinity,
  });
}
