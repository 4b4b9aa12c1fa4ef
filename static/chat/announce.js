// What a screen reader is told about answers: one polite region, emptied after a while, so that
// nobody who walks the page finds an old sentence in it.
const LIFE_MS = 15_000;

const region = document.getElementById("answer-status");
let timer = 0;

/** @param {string} text @param {{stays?: boolean}} [options] until the next one */
export function announce(text, { stays = false } = {}) {
  clearTimeout(timer);
  region.textContent = text;
  if (!stays) timer = setTimeout(() => (region.textContent = ""), LIFE_MS);
}
