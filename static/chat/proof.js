// What stands behind an answer: how the words of each source were found, and the sources that are
// proposed where the model cited none.
import { fill, gettext } from "../js/i18n.js";

const METHODS = {
  exact: () => gettext("Word for word"),
  fuzzy: () => gettext("Nearly word for word"),
  differs: () => gettext("The same words, but for a number or a “not”"),
  words: () => gettext("In other words"),
  meaning: () => gettext("Similar in meaning"),
  passage: () => gettext("The passage as a whole"),
};

/** How the quotes under number `n` were found, each way once; empty where that is not known. */
export function waysOf(citations, n) {
  const ways = citations.filter((one) => one.n === n).map(wayOf);
  return [...new Set(ways.filter(Boolean))].join(" · ");
}

/** The same letters in another case or script read as the same words. */
function wayOf({ method, score, is_proposed: isProposed }) {
  const way = METHODS[method === "fuzzy" && score === 1 ? "exact" : method]?.();
  return isProposed && way ? fill(gettext("%(way)s, proposed"), { way }) : way;
}

/** The answer with a mark behind each sentence that a source is proposed for. */
export function withProposed(text, citations) {
  const places = citations.filter(({ is_proposed: proposed, at }) => proposed && at !== null);
  const characters = [...text]; // places count whole characters
  for (const { n, at } of places.sort((a, b) => b.at - a.at)) characters.splice(at, 0, `[${n}]`);
  return characters.join("");
}

/** Chips of a block, told apart from those that the model set itself. */
export function markProposed(block) {
  for (const chip of block.querySelectorAll(".cite:not(.gone)")) {
    chip.classList.add("proposed");
    chip.ariaLabel = fill(gettext("Source %(n)s, proposed: the model did not name it"), { n: chip.textContent });
  }
}

/** "6 of 7", or nothing where no sentence was judged. */
export function share({ claims, supported }) {
  return claims ? fill(gettext("%(n)s of %(all)s"), { n: supported, all: claims }) : "";
}
