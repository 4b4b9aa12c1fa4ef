// What the person is choosing while they write: `/` a prompt, `@` an agent, `#` a collection. Pure.

/** Full-width signs come from Chinese keyboards; `、` is what their slash key gives. */
const KINDS = { "/": "prompt", "／": "prompt", "、": "prompt", "@": "agent", "＠": "agent", "#": "collection", "＃": "collection" };
// A prompt stands for itself; agents and collections may follow a sign or word of Chinese at once.
const PROMPT = /(?<=^|\s)[/／](?<query>[^\s/／]{0,40})$|^、(?<begun>\S{0,40})$/u;
const CHOICE = /(?<=^|[\s([{（「『“"，。、：；！？…\u2e80-\u9fff\uf900-\ufaff])[@＠#＃](?<query>[^\s@＠#＃/]{0,40})$/u;

/**
 * The sign before the caret with what was written after it, or null: inside a word, an address or a
 * path there is none.
 * @returns {{kind: string, start: number, end: number, query: string} | null}
 */
export function triggerAt(text, caret) {
  if (/^\S/.test(text.slice(caret))) return null;
  const before = text.slice(0, caret);
  const found = PROMPT.exec(before) ?? CHOICE.exec(before);
  if (!found) return null;
  const { query, begun } = found.groups;
  return { kind: KINDS[found[0][0]], start: found.index, end: caret, query: query ?? begun };
}
