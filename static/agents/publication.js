// A draft that golden questions are asked of before it is published: how far that is, and what a
// person decides where it loses.
import { attempt } from "../js/history.js";
import { fetchFragment, sendJson } from "../js/http.js";

const place = () => document.getElementById("publication");

/** `published(number)` is called when what waited has become a version. */
export function followPublication(api, url, published) {
  const box = place().parentElement;
  let last = place().dataset.state;

  async function draw() {
    const fresh = await fetchFragment(url);
    place().replaceWith(fresh); // which may be another one meanwhile
    window.htmx.process(place());
    look();
  }

  function look() {
    const { state, number } = place().dataset;
    if (state === last) return;
    last = state;
    if (state === "held" || state === "failed") place().scrollIntoView({ block: "nearest" });
    if (state === "published") published(Number(number));
  }

  box.addEventListener("htmx:afterSwap", look);
  box.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-keep-old]")) return;
    attempt(async () => {
      await sendJson("DELETE", `${api}/publication`);
      await draw();
    });
  });
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const error = form.querySelector("[data-error]");
    const revision = Number(place().dataset.revision);
    try {
      const { number } = await sendJson("POST", `${api}/publish`, { revision, force: true, reason: form.elements.reason.value });
      await draw();
      published(number);
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
  });
  return {
    draw,
    get isHeld() {
      return place().dataset.state === "held";
    },
  };
}
