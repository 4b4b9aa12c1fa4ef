// Which of a few hundred things a person means while they type: every word must be there, in any
// order; words of Chinese need no spaces. Pure.

const fold = (text) => text.normalize("NFKC").toLowerCase();
const wordsOf = (query) => fold(query).split(/\s+/).filter(Boolean);

/** 0 for the best match, Infinity for none: the beginning of the name, of a word, the middle. */
export function rank(query, { name, detail = "" }) {
  const words = wordsOf(query);
  const [title, more] = [fold(name), fold(detail)];
  if (!words.every((word) => title.includes(word) || more.includes(word))) return Infinity;
  if (!words.length || title.startsWith(words.join(" "))) return 0;
  if (words.every((word) => ` ${title}`.includes(` ${word}`))) return 1;
  return words.every((word) => title.includes(word)) ? 2 : 3;
}

/** Those that match, the best first; equally good ones stay in their order. */
export function matching(query, items) {
  const ranked = items.map((item) => [rank(query, item), item]);
  return ranked
    .filter(([found]) => found < Infinity)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}

/** Where words of the query stand in a text, as `[start, end]` in order and apart. */
export function marksOf(query, text) {
  const folded = text.toLowerCase();
  if (folded.length !== text.length || [...text].length !== text.length) return [];
  const spans = [];
  for (const word of wordsOf(query)) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      spans.push([at, at + word.length]);
    }
  }
  spans.sort(([one], [other]) => one - other);
  let end = 0;
  return spans.filter(([start, stop]) => start >= end && (end = stop));
}
