// Thumbs under an answer, with reasons and a word if the person likes; kept at once, changed and
// taken back at any time.
import { sendJson } from "../js/http.js";
import { gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const api = (answer) => `/api/v1/messages/${answer.dataset.message}/feedback`;
const thumbs = (answer) => [...answer.querySelectorAll("[data-rate]")];

/** A press rates; another one opens what was said, to change it or take it back. */
export async function rate(button) {
  const answer = button.closest(".answer");
  if (button.getAttribute("aria-pressed") === "true") {
    if (!close(answer)) await open(answer, button.dataset.rate, await sendJson("GET", api(answer)));
    return;
  }
  close(answer);
  await sendJson("PUT", api(answer), { rating: button.dataset.rate });
  press(answer, button.dataset.rate);
  await open(answer, button.dataset.rate, { reasons: [], comment: "" });
}

function press(answer, rating) {
  for (const thumb of thumbs(answer)) {
    thumb.setAttribute("aria-pressed", String(thumb.dataset.rate === rating));
  }
}

function close(answer) {
  const form = answer.querySelector(".opinion");
  form?.remove();
  return Boolean(form);
}

function open(answer, rating, { reasons, comment }) {
  const form = document.getElementById("opinion-template").content.firstElementChild.cloneNode(true);
  const part = (name) => form.querySelector(`[data-${name}]`);
  const leave = () => {
    close(answer);
    answer.querySelector(`[data-rate="${rating}"]`).focus();
  };
  part("legend").textContent = part("legend").dataset[rating];
  for (const chips of form.querySelectorAll("[data-for]")) chips.hidden = chips.dataset.for !== rating;
  for (const box of form.elements.reason) box.checked = reasons.includes(box.value);
  form.elements.comment.value = comment;
  part("close").addEventListener("click", leave);
  part("take-back").addEventListener("click", () => attempt(async () => {
    await sendJson("DELETE", api(answer));
    press(answer, null);
    leave();
    toast(gettext("Your feedback was taken back."));
  }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const chosen = form.querySelector(`[data-for="${rating}"]`).querySelectorAll(":checked");
      const said = { reasons: [...chosen].map(({ value }) => value), comment: form.elements.comment.value };
      await sendJson("PUT", api(answer), { rating, ...said });
      leave();
      toast(gettext("Thank you for the feedback."));
    });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  });
  answer.querySelector("[data-actions]").after(form);
  form.querySelector(`[data-for="${rating}"] input`).focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}
