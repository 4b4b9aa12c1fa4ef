// Endpoints as they do right now: asked for again every few seconds while somebody looks.
const EVERY_MS = 4000;
const holder = document.querySelector("[data-live-from]");

async function look() {
  const shown = [...holder.querySelectorAll("[data-live]")];
  const query = new URLSearchParams(shown.map((el) => ["id", el.dataset.live]));
  if ("whole" in holder.dataset) query.set("whole", "1");
  const answer = await fetch(`${holder.dataset.liveFrom}?${query}`, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const el of shown) {
    const next = fresh.querySelector(`[data-live="${el.dataset.live}"]`);
    if (next && next.innerHTML !== el.innerHTML) el.replaceWith(document.importNode(next, true));
  }
}

/** One request after the other; a server that is away is asked again later. */
async function follow() {
  if (document.visibilityState === "visible") await look().catch(() => {});
  setTimeout(follow, EVERY_MS);
}

if (holder?.querySelector("[data-live]")) setTimeout(follow, EVERY_MS);
