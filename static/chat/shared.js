// A conversation behind a link: drawn as on the chat page, to read and to copy from.
import "../js/away.js";
import { copyText } from "../js/clipboard.js";
import { answerOf } from "./answer.js";
import "./reading.js";
import { loadRenderer } from "./renderer.js";
import { drawStored, list } from "./thread.js";

const hasSources = document.getElementById("sources") !== null;
const sources = async () => import("./sources.js");
document.body.dataset.katex = document.getElementById("thread").dataset.katex;

const CLICKS = {
  "a.cite": async (chip) =>
    (await sources()).openSources(answerOf(chip.closest(".answer")), chip.textContent, chip),
  "[data-sources]": async (button) =>
    (await sources()).openSources(answerOf(button.closest(".answer")), null, button),
  "[data-copy-code]": (button) => copyText(button.closest(".code").querySelector("code").textContent),
  "[data-copy]": (button) => {
    const answer = answerOf(button.closest(".answer"));
    copyText(answer ? answer.text : button.closest(".user").querySelector("[data-text]").textContent);
  },
};

list.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(CLICKS)) {
    const target = event.target.closest(selector);
    if (!target) continue;
    event.preventDefault();
    act(target);
    return;
  }
});

document.addEventListener("keydown", async (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !hasSources) return;
  const { closeSources, isOpen } = await sources();
  if (isOpen()) closeSources();
});

await loadRenderer();
drawStored({ hooks: { onEnd: () => {} }, resume: () => {} }, list.firstElementChild);
if (hasSources) {
  const { offerSources } = await sources();
  const answers = [...list.querySelectorAll(".answer")].map(answerOf).filter(Boolean);
  offerSources(answers.findLast(({ citations }) => citations.length) ?? null);
}
