// The first steps of an administrator are put away and taken out again.
import { attempt } from "../js/history.js";
import { sendJson } from "../js/http.js";

// Both are gone where a question was asked before this was there.
const steps = document.getElementById("first-steps");
const button = document.getElementById("show-first-steps");

function show(shown) {
  steps.hidden = !shown;
  button.hidden = shown;
  (shown ? steps.querySelector("a") : button).focus();
  attempt(() => sendJson("PATCH", "/api/v1/me", { has_first_steps: shown }));
}

steps?.querySelector("[data-hide]").addEventListener("click", () => show(false));
button?.addEventListener("click", () => show(true));
