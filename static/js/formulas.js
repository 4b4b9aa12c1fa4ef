// Formulas by KaTeX, which is fetched with the first of them.
//
// A formula is drawn as soon as it is closed, before the words after it are: what stands below
// would jump if it were drawn later.
const KEPT = 300;
const FACES = ["1em KaTeX_Main", "italic 1em KaTeX_Math"];
const drawn = new Map(); // in a growing paragraph each is drawn once, not with every word
let katex = null;
let loading = null;

/** Draws the closed formulas below `root` if KaTeX is there, and else sends for it. */
export function drawFormulas(root) {
  if (katex) root.querySelectorAll(".tex:not(.tex-open, :has(.katex))").forEach(draw);
  else if (root.querySelector(".tex")) load().catch(() => {}); // the next one tries again
}

/** Draws a formula that nothing will be added to, once KaTeX is there. */
export async function settleFormula(el) {
  await load();
  el.classList.remove("tex-open");
  if (!el.querySelector(".katex")) draw(el);
}

function load() {
  loading ??= fetchAll().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** With its style sheet and letters: without them a formula has another size for a moment. */
async function fetchAll() {
  const [module] = await Promise.all([import("../vendor/katex.js"), addStyles()]);
  await Promise.allSettled(FACES.map((face) => document.fonts.load(face)));
  katex = module.default;
}

function addStyles() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = document.body.dataset.katex;
  const arrived = new Promise((done, fail) => Object.assign(link, { onload: done, onerror: fail }));
  document.head.append(link);
  return arrived;
}

/** What is no formula stays as it was written. */
function draw(el) {
  const isBlock = el.classList.contains("tex-block");
  const key = `${isBlock} ${el.dataset.tex}`;
  if (!drawn.has(key)) {
    if (drawn.size >= KEPT) drawn.clear();
    drawn.set(key, typeset(el.dataset.tex, isBlock));
  }
  const made = drawn.get(key);
  if (made) el.replaceChildren(...made.cloneNode(true).childNodes);
}

/**
 * By the DOM, not by a string: style="" would be refused by the content security policy. So it is
 * in KaTeX's own error message.
 */
function typeset(tex, displayMode) {
  const box = document.createElement("span");
  const options = { displayMode, throwOnError: true, trust: false, maxExpand: 500, maxSize: 20 };
  try {
    katex.render(tex, box, options);
  } catch {
    return null;
  }
  return box;
}
