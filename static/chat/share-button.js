// The button that shares the conversation on the page; its dialog is fetched when it is needed.
import { attempt } from "../js/history.js";

const button = document.getElementById("share");

/** The button appears with the first question, for a conversation that stays. */
export function offerSharing(id) {
  if (!button) return;
  button.dataset.conversation = id;
  button.hidden = false;
}

button?.addEventListener("click", () =>
  attempt(async () => {
    const { openSharing } = await import("../js/sharing.js");
    await openSharing(button.dataset.conversation);
  }),
);
