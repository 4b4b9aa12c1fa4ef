// Corrections by one click or one key, without leaving the list; questions tried in place.
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
const KEYS = { 1: 0, 2: 1, 3: 2 };
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

async function post(url, body) {
  const headers = { "X-Requested-With": "fetch", "X-CSRFToken": token() };
  const answer = await fetch(url, { method: "POST", credentials: "same-origin", headers, body });
  if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
  return answer;
}

/** Says which tier is right; the focus stays where it was. */
async function correct(group, index) {
  const data = new FormData();
  data.set("tier", group.querySelectorAll("button")[index].value);
  const answer = await (await post(group.dataset.correct, data)).json();
  const fresh = new DOMParser().parseFromString(answer.html, "text/html").body.firstElementChild;
  const next = document.importNode(fresh, true);
  group.replaceWith(next);
  next.querySelectorAll("button")[index].focus();
  return next;
}

function move(group, by) {
  const all = [...document.querySelectorAll("[data-correct]")];
  const next = all[all.indexOf(group) + by];
  next?.querySelector("button").focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-correct] button");
  if (!button) return;
  event.preventDefault();
  const group = button.closest("[data-correct]");
  correct(group, [...group.querySelectorAll("button")].indexOf(button)).catch(() => location.reload());
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const group = event.target.closest("tr")?.querySelector("[data-correct]");
  if (!group || !group.contains(event.target)) return;
  if (event.key in STEPS) {
    event.preventDefault();
    move(group, STEPS[event.key]);
  } else if (event.key in KEYS) {
    event.preventDefault();
    correct(group, KEYS[event.key]).catch(() => location.reload());
  }
});

const form = document.querySelector("form.try");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const place = document.querySelector("[data-trial]");
  const answer = await post(form.action, new FormData(form)).catch(() => null);
  if (!answer) return form.submit();
  const parts = new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes;
  place.replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
});
