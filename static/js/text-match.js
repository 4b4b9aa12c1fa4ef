// Finds words in another reading of the same text: spaces, hyphens, punctuation, ligatures, width
// and case may differ, and a header or footer may stand in between.

const SEED = { latin: 10, cjk: 4 }; // letters that must agree before two places are compared
const COMMON = 60; // a seed that stands at more places tells nothing
const NEAR = 400; // letters that a piece may lie away from where the longest one puts it
const CJK = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]/g;
const LETTERS = /[\p{L}\p{N}]/u;

/**
 * What two readings of a text have in common: its letters and digits.
 * @returns {{letters: string, at: number[]}} `at[i]` is the index in `text` of letter `i`
 */
export function reduce(text) {
  const letters = [];
  const at = [];
  let index = 0;
  for (const character of text) {
    for (const letter of plain(character)) {
      letters.push(letter);
      at.push(index);
    }
    index += character.length;
  }
  return { letters: letters.join(""), at };
}

/** One UTF-16 unit a letter: a rare character outside the basic plane gives two. */
function plain(character) {
  const code = character.charCodeAt(0);
  if (code < 128) return /[a-z0-9]/i.test(character) ? character.toLowerCase() : "";
  if (code >= 0x4e00 && code <= 0x9fff) return character;
  const parts = [...character.normalize("NFKD").toLowerCase()];
  return parts.filter((part) => LETTERS.test(part)).join("").split("");
}

/**
 * Where the letters of `needle` stand in `haystack`; `before` and `after` are the letters around
 * it, and choose between places that say the same.
 * @returns {{spans: number[][], share: number}|null} `share` of the needle that was found; null
 *   when there is nothing like it
 */
export function locate(needle, haystack, { before = "", after = "" } = {}) {
  if (!needle) return null;
  const start = bestOccurrence(needle, haystack, before, after);
  if (start >= 0) return { spans: [[start, start + needle.length]], share: 1 };
  return inPieces(needle, haystack);
}

/** Every place where `needle` stands, not overlapping. */
export function occurrences(needle, haystack) {
  const found = [];
  for (let at = haystack.indexOf(needle); needle && at >= 0; ) {
    found.push(at);
    at = haystack.indexOf(needle, at + needle.length);
  }
  return found;
}

function bestOccurrence(needle, haystack, before, after) {
  let best = -1;
  let most = -1;
  for (const at of occurrences(needle, haystack)) {
    const agreeing = commonEnd(haystack, at, before) + commonStart(haystack, at + needle.length, after);
    if (agreeing > most) [best, most] = [at, agreeing];
  }
  return best;
}

function commonStart(text, at, words) {
  let length = 0;
  while (length < words.length && text[at + length] === words[length]) length += 1;
  return length;
}

function commonEnd(text, at, words) {
  let length = 0;
  while (length < words.length && text[at - 1 - length] === words[words.length - 1 - length]) {
    length += 1;
  }
  return length;
}

/** The longest stretches that agree, in the order of the needle. */
function inPieces(needle, haystack) {
  const isChinese = (needle.match(CJK)?.length ?? 0) > needle.length / 3;
  const size = Math.min(isChinese ? SEED.cjk : SEED.latin, needle.length);
  const seeds = seedsOf(haystack, size);
  const pieces = [];
  let expected = 0;
  for (let at = 0; at + size <= needle.length; ) {
    const piece = longest(needle, at, haystack, seeds.get(needle.slice(at, at + size)) ?? [], expected);
    if (piece) {
      pieces.push(piece);
      expected = piece.start + piece.length;
    }
    at += piece?.length ?? 1;
  }
  return together(pieces, needle.length);
}

function seedsOf(text, size) {
  const seeds = new Map();
  for (let at = 0; at + size <= text.length; at += 1) {
    const seed = text.slice(at, at + size);
    if (seeds.has(seed)) seeds.get(seed).push(at);
    else seeds.set(seed, [at]);
  }
  return seeds;
}

function longest(needle, from, haystack, places, expected) {
  if (places.length > COMMON) return null;
  let best = null;
  for (const start of places) {
    const length = commonStart(haystack, start, needle.slice(from));
    const distance = Math.abs(start - expected);
    const isBetter = !best || length > best.length || (length === best.length && distance < best.distance);
    if (isBetter) best = { from, start, length, distance };
  }
  return best;
}

/** Without the pieces that lie far from where the longest one says the needle is. */
function together(pieces, length) {
  if (!pieces.length) return null;
  const anchor = pieces.reduce((a, b) => (b.length > a.length ? b : a));
  const origin = anchor.start - anchor.from;
  const kept = pieces.filter(({ from, start }) => Math.abs(start - from - origin) < NEAR + length / 2);
  const found = kept.reduce((sum, piece) => sum + piece.length, 0);
  const spans = kept.map(({ start, length: size }) => [start, start + size]);
  return { spans: spans.sort((a, b) => a[0] - b[0]), share: found / length };
}
