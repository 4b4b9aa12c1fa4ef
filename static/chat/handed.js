// The row of an answer that says that another agent went on, why, and the way back to the first.
import { sendJson } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";
import { icon } from "../js/icon.js";
import { toast } from "../js/toast.js";

/** `isLive`: it happens now, so what is asked next goes to the agent that goes on. */
export async function showHanded(row, data, isLive) {
  row.className = "handed";
  row.append(face(data), words(data));
  if ("trial" in document.getElementById("thread").dataset) return row.append(staysHere());
  if (!document.getElementById("agent-menu")) return; // somebody who only reads
  const pickers = await import("./pickers.js");
  if (isLive) pickers.pickAgent(data.slug);
  const isThere = pickers.agents().some(({ id }) => id === data.from_slug);
  if (isThere && pickers.chosenAgent() === data.slug) row.append(wayBack(row, data, pickers));
}

function words({ name, reason }) {
  const text = document.createElement("span");
  const who = document.createElement("b");
  who.textContent = fill(gettext("Handed over to %(name)s"), { name });
  text.className = "grow";
  text.append(who, " ", Object.assign(document.createElement("span"), { className: "muted", textContent: reason }));
  return text;
}

/** Where a draft is tried it is the one that is asked. */
function staysHere() {
  const words = gettext("The draft answers what you ask next.");
  return Object.assign(document.createElement("small"), { className: "muted", textContent: words });
}

function face({ picture, emoji }) {
  const el = document.createElement("span");
  el.className = "face";
  el.ariaHidden = "true";
  if (picture) el.append(Object.assign(new Image(40, 40), { src: `/agents/pictures/${picture}`, alt: "" }));
  else el.append(emoji || icon("sparkles"));
  return el;
}

function wayBack(row, { from_slug: slug, from_name: name }, { pickAgent }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn outline";
  button.append(icon("arrow-left"), fill(gettext("Back to %(name)s"), { name }));
  button.addEventListener("click", async () => {
    try {
      const [conversation] = location.pathname.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) ?? [];
      if (conversation) await sendJson("PATCH", `/api/v1/conversations/${conversation}`, { agent: slug });
      pickAgent(slug);
      button.remove();
      document.getElementById("message")?.focus();
      toast(fill(gettext("%(name)s answers what you ask next."), { name }));
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  });
  return button;
}
