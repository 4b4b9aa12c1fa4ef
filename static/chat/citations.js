// From an answer's citations and the passages it was given to the entries of the sources panel.

/**
 * One entry for each number, in order. `spans` are the quoted stretches of the document; without
 * a quote, the whole passage. Passages appear only when nothing at all was quoted.
 */
export function collectSources(citations, passages) {
  const entries = new Map();
  for (const citation of citations.length ? citations : passages) {
    const { n, start, end } = citation;
    const entry = entries.get(n);
    if (entry) entry.lines = allLines(entry.lines, citation.lines);
    if (!entry) {
      entries.set(n, { ...withPassage(citation, passages), spans: [[start, end]] });
    } else if (!entry.spans.some(([a, b]) => a === start && b === end)) {
      entry.spans.push([start, end]);
    }
  }
  return [...entries.values()].sort((a, b) => a.n - b.n);
}

/** What the answer was given and did not quote; nothing when it quoted nothing at all. */
export function collectUncited(citations, passages) {
  if (!citations.length) return [];
  const cited = new Set(citations.map(({ n }) => n));
  return passages
    .filter(({ n }) => !cited.has(n))
    .map((passage) => ({ ...passage, spans: [[passage.start, passage.end]] }));
}

/** A citation knows less about its place than the passage it was found in. */
function withPassage(citation, passages) {
  const passage = passages.find(({ n }) => n === citation.n);
  return { ...passage, ...citation, lines: citation.lines ?? passage?.lines ?? null };
}

const allLines = (some, more) =>
  some && more ? [Math.min(some[0], more[0]), Math.max(some[1], more[1])] : some ?? more ?? null;

/** Address of the document with every span highlighted, the first of them in view. */
export function documentUrl({ document_id: id, spans, start, end, version }) {
  const at = (spans ?? [[start, end]]).map(([from, to]) => `at=${from}-${to}`);
  if (version) at.push(`version=${version}`);
  return `/knowledge/documents/${id}/?${at.join("&")}`;
}

/** Address of the server-rendered excerpt with every span marked. */
export function excerptUrl({ document_id: id, spans, version }) {
  const at = spans.map(([start, end]) => `at=${start}-${end}`);
  if (version) at.push(`version=${version}`);
  return `/passages/${id}?${at.join("&")}`;
}

/** The page that says what was looked at for the answer in `el`, given to the model, left out. */
export const whyUrl = (el) => `/why/${el.dataset.message}`;
