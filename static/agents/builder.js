// The builder: a form that saves itself, beside it a chat with the draft, and what ends in a version.
import { confirmAction } from "../js/dialog.js";
import { attempt } from "../js/history.js";
import { sendJson } from "../js/http.js";
import { fill, gettext, language } from "../js/i18n.js";
import { toast } from "../js/toast.js";
import { contentOf, Draft } from "./draft.js";
import { offerFaces } from "./face.js";
import { Guardrails } from "./guardrails.js";
import { offerHelpers } from "./helpers.js";
import { followPublication } from "./publication.js";

const builder = document.getElementById("builder");
const form = document.getElementById("set-up");
const conflict = document.getElementById("conflict");
const dialog = document.getElementById("publish-dialog");
const frame = builder.querySelector("iframe");
const saved = document.querySelector("[data-saved]");
const publish = document.querySelector("[data-publish]");
const field = (name) => form.elements[name];
const { dataset: told } = builder;
const API = `/api/v1/agents/${told.agent}`;
const draft = new Draft(API, Number(told.revision), read);
const guardrails = new Guardrails(form, () => draft.change());
const publication = followPublication(API, told.publication, published);
const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });

/** All that the form says; guardrails only while all of them are valid. */
function read() {
  const { content, isWhole } = contentOf(form);
  const { rules, isWhole: areWhole } = guardrails.read();
  if (rules) content.guardrails = rules;
  return { content, isWhole: isWhole && areWhole };
}

// -- Saving
draft.addEventListener("saving", () => {
  saved.textContent = gettext("Saving…");
});
draft.addEventListener("saved", ({ detail }) => {
  const whole = gettext("Saved %(time)s");
  const partly = gettext("Saved, but for what is marked");
  saved.textContent = detail.isWhole ? fill(whole, { time: time.format(new Date()) }) : partly;
});
draft.addEventListener("failed", async ({ detail }) => {
  saved.textContent = "";
  if (await guardrails.refused(detail.error)) return draft.change(); // all else is saved
  toast(detail.error.message, { kind: "bad" });
});
draft.addEventListener("conflict", () => {
  saved.textContent = "";
  conflict.hidden = false;
});
draft.addEventListener("state", ({ detail: { draft: now } }) => {
  const state = !now.version ? "new" : now.has_changes ? "changed" : "same";
  for (const badge of document.querySelectorAll("[data-state]")) badge.hidden = badge.dataset.state !== state;
  publish.disabled = !now.has_changes;
  const discard = document.querySelector("[data-discard]");
  discard.hidden = state !== "changed";
  document.querySelector("[data-agent-name]").textContent = now.content.name;
});
conflict.querySelector("[data-theirs]").addEventListener("click", () => {
  draft.isDirty = false;
  location.reload();
});
conflict.querySelector("[data-mine]").addEventListener("click", () =>
  attempt(async () => {
    await draft.saveOver();
    conflict.hidden = draft.isHeld === false;
  }),
);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
  showDependent();
  draft.change();
});
addEventListener("blur", () => draft.flush()); // the question in the frame is for what is written
addEventListener("pagehide", () => draft.leave());
addEventListener("beforeunload", (event) => {
  if (draft.isAtRisk) event.preventDefault();
});

// -- What depends on what is chosen
function showDependent() {
  form.querySelector("[data-limited]").hidden = form.querySelector("[name=is_limited]:checked").value !== "true";
  form.querySelector("[data-temperature]").textContent = field("temperature").value;
  const thinks = field("model_name").selectedOptions[0].dataset.thinks;
  form.querySelector("[data-thinking]").hidden = !thinks && !field("reasoning_effort").value;
  const length = field("instructions").value.length;
  const characters = gettext("%(n)s characters");
  form.querySelector("[data-length]").textContent = length ? fill(characters, { n: length.toLocaleString(language) }) : "";
  growStarters();
}

/** There is always one more field to fill in, up to eight. */
function growStarters() {
  const box = form.querySelector("[data-starters]");
  const last = box.lastElementChild;
  const { length } = box.children;
  if (!last.value || length >= 8) return;
  const next = last.cloneNode();
  next.value = "";
  next.setAttribute("aria-label", `${box.dataset.label} ${length + 1}`);
  box.append(next);
}

for (const chip of form.querySelectorAll("[data-variable]")) {
  chip.addEventListener("click", () => {
    const box = field("instructions");
    box.setRangeText(`{{${chip.dataset.variable}}}`, box.selectionStart, box.selectionEnd, "end");
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// -- Trying
const narrow = matchMedia("(max-width: 70rem)");
const start = () => frame.contentWindow.location.replace(frame.dataset.src);
const isTried = () => !narrow.matches || told.shown === "try";

function begin() {
  if (!frame.src && isTried()) frame.src = frame.dataset.src;
}

for (const tab of builder.querySelectorAll("[data-tab]")) {
  tab.addEventListener("click", (event) => {
    event.preventDefault();
    told.shown = tab.dataset.tab;
    for (const other of builder.querySelectorAll("[data-tab]")) other.toggleAttribute("aria-current", other === tab);
    tab.setAttribute("aria-current", "page");
    draft.flush().then(begin);
  });
}
narrow.addEventListener("change", begin);
builder.querySelector("[data-restart]").addEventListener("click", () => draft.flush().then(start));

// -- What ends in a version, in another agent, or in none
publish.addEventListener("click", () =>
  attempt(async () => {
    const { isWhole } = read();
    if (!(await draft.flush())) return;
    if (!isWhole) return form.querySelector("[aria-invalid=true]").focus();
    dialog.querySelector("[data-error]").hidden = true;
    dialog.showModal();
  }),
);
dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = dialog.querySelector("[data-error]");
  try {
    const note = document.getElementById("publish-note").value;
    const { number, state } = await sendJson("POST", `${API}/publish`, { revision: draft.revision, note });
    dialog.close();
    document.getElementById("publish-note").value = "";
    await publication.draw(); // also where nothing waits any more
    if (!state) await published(number);
    publish.focus();
  } catch (problem) {
    if (problem.status === 409 && !publication.isHeld) publication.draw();
    error.textContent = problem.message;
    error.hidden = false;
  }
});

async function published(number) {
  const title = gettext("Publish version %(n)s");
  document.getElementById("publish-title").textContent = fill(title, { n: number + 1 });
  draft.take(await sendJson("GET", draft.url));
  const done = gettext("Version %(n)s is published.");
  toast(fill(done, { n: number }));
}

const ACTS = {
  "[data-duplicate]": async () => {
    await draft.flush();
    const { id } = await sendJson("POST", `${API}/duplicate`);
    location.assign(`${told.home}${id}/`);
  },
  "[data-discard]": async () => {
    const isSure = await confirmAction({
      title: gettext("Discard the changes?"),
      text: gettext("The draft says what is published, again."),
      yes: gettext("Discard"),
    });
    if (!isSure) return;
    await draft.flush();
    await sendJson("DELETE", draft.url);
    location.reload();
  },
  "[data-delete]": async () => {
    const isSure = await confirmAction({
      title: fill(gettext("Delete %(name)s?"), { name: field("name").value }),
      text: gettext("It is gone for everyone, with all of its versions. Conversations stay, and the built-in agent answers in them. This cannot be undone."),
      yes: gettext("Delete"),
    });
    if (!isSure) return;
    await sendJson("DELETE", API);
    draft.isDirty = false;
    location.assign(told.home);
  },
};
for (const [selector, act] of Object.entries(ACTS)) {
  document.querySelector(selector)?.addEventListener("click", () => {
    document.getElementById("agent-actions").hidePopover();
    attempt(act);
  });
}
document.querySelector("[data-export]").addEventListener("click", () => draft.flush());

offerFaces(API, draft);
offerHelpers(form);
showDependent();
begin();
builder.dataset.ready = "";
