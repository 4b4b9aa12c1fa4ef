// What an answer says about memory: which memories it used, which it saved, and taking that back.
import { fetchFragment, sendJson } from "../js/http.js";
import { fill, gettext, ngettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const TEMPLATES = { memories_used: "memory-used-template", memories_saved: "memory-saved-template" };

/** Draws the mark of such a step below the answer; false for every other step. */
export function markMemory(answer, kind, { ids }) {
  const template = document.getElementById(TEMPLATES[kind]);
  if (!(kind in TEMPLATES)) return false;
  if (!template || answer.querySelector(`[data-mark="${kind}"]`)) return true;
  const mark = template.content.firstElementChild.cloneNode(true);
  const title = kind === "memories_used" ? usedText(ids.length) : savedText(ids.length);
  mark.dataset.mark = kind;
  mark.querySelector("[data-label]").textContent = title;
  mark.querySelector("[data-show]").addEventListener("click", () => show(title, ids));
  mark.querySelector("[data-undo]")?.addEventListener("click", () => undo(mark, ids));
  answer.querySelector("[data-actions]").before(mark);
  return true;
}

/** An answer begins anew: nothing was used or saved yet. */
export function forgetMarks(answer) {
  for (const mark of answer.querySelectorAll("[data-mark]")) mark.remove();
}

function usedText(count) {
  const text = ngettext("Used %(n)s memory", "Used %(n)s memories", count);
  return fill(text, { n: count });
}

function savedText(count) {
  const text = ngettext("Saved to memory", "Saved %(n)s things to memory", count);
  return fill(text, { n: count });
}

async function show(title, ids) {
  const dialog = document.getElementById("memory-dialog");
  const query = new URLSearchParams(ids.map((id) => ["id", id]));
  try {
    const list = await fetchFragment(`${dialog.dataset.url}?${query}`);
    dialog.querySelector("[data-title]").textContent = title;
    dialog.querySelector("[data-list]").replaceChildren(list);
    dialog.showModal();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function undo(mark, ids) {
  try {
    await Promise.all(ids.map(forget));
    mark.remove();
    toast(gettext("Forgotten."));
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function forget(id) {
  try {
    await sendJson("DELETE", `/api/v1/memories/${id}`);
  } catch (error) {
    if (error.status !== 404) throw error; // deleted in settings meanwhile
  }
}
