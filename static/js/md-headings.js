// Heading levels of an answer: the page owns h1 and h2, the first heading of an answer is h3, and
// no level is skipped, whatever the model wrote. What a heading becomes depends on those before it,
// so the state after the last finished heading travels in `env`.
const START = { base: 0, previous: 2 };

export function headings(md) {
  md.core.ruler.push("heading_levels", ({ tokens, env }) => {
    let state = env.headings ?? START;
    let open = null;
    for (const token of tokens) {
      if (token.type === "heading_open") {
        const level = Number(token.tag[1]);
        const base = state.base || level;
        const depth = Math.max(3, Math.min(6, level - base + 3, state.previous + 1));
        state = { base, previous: depth };
        token.tag = open = `h${depth}`;
        token.meta = state;
      } else if (token.type === "heading_close") {
        token.tag = open;
      }
    }
  });
}

/** Remembers where the finished `tokens` left the levels. */
export function settleHeadings(tokens, env) {
  env.headings = tokens.findLast(({ type }) => type === "heading_open")?.meta ?? env.headings;
}
