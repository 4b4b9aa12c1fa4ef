// Maths for markdown-it: $..$, \(..\), and $$..$$ or \[..\] as a block that, like a fence, may
// still be open.
const TEX = [
  ["$$", "$$"],
  ["\\[", "\\]"],
  ["\\(", "\\)"],
  ["$", "$"],
];

export function maths(md) {
  md.inline.ruler.before("escape", "tex", inlineMaths);
  md.block.ruler.before("fence", "tex_block", blockMaths, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  md.renderer.rules.tex = (tokens, i) => {
    const { tag, info, content } = tokens[i];
    const tex = md.utils.escapeHtml(content);
    return `<${tag} class="${info}" data-tex="${tex}">${tex}</${tag}>`;
  };
}

function inlineMaths(state, silent) {
  const pair = TEX.find(([open]) => state.src.startsWith(open, state.pos));
  if (!pair) return false;
  const [open, close] = pair;
  const from = state.pos + open.length;
  const to = state.src.indexOf(close, from);
  const tex = state.src.slice(from, to);
  if (to <= from || (open === "$" && isMoney(tex, state.src[to + 1]))) return false;
  if (!silent) {
    const inline = open === "$" || open === "\\(";
    Object.assign(state.push("tex", "span", 0), {
      content: tex,
      info: inline ? "tex" : "tex tex-block",
    });
  }
  state.pos = to + close.length;
  return true;
}

/** "$5 and $6" is not a formula: spaces inside the marks, or a digit after the closing one. */
function isMoney(tex, next) {
  return /^\s|\s$|\n/.test(tex) || /\d/.test(next ?? "");
}

function blockMaths(state, start, end, silent) {
  const line = (n) => state.src.slice(state.bMarks[n] + state.tShift[n], state.eMarks[n]).trimEnd();
  const pair = TEX.slice(0, 2).find(([open]) => line(start).startsWith(open));
  if (!pair) return false;
  let body = line(start).slice(2);
  let n = start;
  while (!body.includes(pair[1]) && ++n < end && line(n)) body += "\n" + line(n);
  const closed = body.endsWith(pair[1]);
  if (!closed && n < end) return false; // TeX forbids blank lines: not maths after all
  if (silent) return true;
  state.line = Math.min(n + 1, end);
  Object.assign(state.push("tex", "p", 0), {
    content: closed ? body.slice(0, -2) : body,
    info: closed ? "tex tex-block" : "tex tex-block tex-open",
    map: [start, state.line],
  });
  return true;
}
