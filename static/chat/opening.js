// A conversation opens where it is read on: at its end, or at the message that a search has found.
// Nothing of it is seen before what is there is drawn, so nothing moves under the reader's eyes.
import { loadRenderer } from "./renderer.js";
import { focusOn } from "./stretches.js";
import { list } from "./thread.js";

/** The message that the address names, if it is on the page. */
export function foundMessage() {
  const at = new URL(location).searchParams.get("at");
  return at && list.querySelector(`[data-message="${CSS.escape(at)}"]`);
}

/** Shows the conversation at the message, or at its end; after `draw`, which it waits for. */
export async function openAt(found, follower) {
  await loadRenderer().catch(() => {}); // the answers waiting for it come first
  delete list.dataset.opening;
  if (!found) return follower.toEnd();
  follower.show(found);
  found.classList.add("found");
  focusOn(found);
}
