// Decorates one finished block: highlighting, formulas, a copy button, keyboard access to what
// scrolls. The large libraries are fetched only when a block needs them.
import { gettext } from "./i18n.js";
import { safe } from "./md-stream.js";

const LONGEST = 60_000; // longer code stays plain
const idle = window.requestIdleCallback ?? ((run) => setTimeout(run, 60));

const once = (load) => {
  let loading;
  return () => (loading ??= load());
};
const highlighter = once(async () => (await import("../vendor/highlight.js")).default);
const katex = once(async () => {
  addStyles(document.body.dataset.katex);
  return (await import("../vendor/katex.js")).default;
});

function addStyles(href) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}

/** @param {Element} block a finished top-level block of an answer */
export function enhance(block) {
  for (const pre of within(block, "pre")) {
    makeRegion(pre, gettext("Code"));
    addCopyButton(pre);
    const code = pre.querySelector("code[class]");
    if (code) idle(() => highlight(code));
  }
  for (const table of within(block, ".table")) makeRegion(table, gettext("Table"));
  for (const tex of within(block, ".tex")) idle(() => typeset(tex));
}

function within(block, selector) {
  const found = [...block.querySelectorAll(selector)];
  return block.matches(selector) ? [block, ...found] : found;
}

function makeRegion(el, label) {
  el.tabIndex = 0;
  el.role = "region";
  el.ariaLabel = label;
}

function addCopyButton(pre) {
  const template = document.getElementById("copy-code-template");
  if (!template) return;
  const frame = document.createElement("div");
  frame.className = "code";
  pre.replaceWith(frame);
  frame.append(pre, template.content.cloneNode(true));
}

async function highlight(code) {
  const language = /language-([\w+#.-]+)/.exec(code.className)?.[1];
  const text = code.textContent;
  const hljs = await highlighter();
  if (text.length > LONGEST || !hljs.getLanguage(language)) return;
  code.replaceChildren(safe(hljs.highlight(text, { language }).value));
}

/**
 * By the DOM, not by a string: style="" would be refused by the content security policy. So it is
 * in KaTeX's own error message; what is no formula stays as it was written.
 */
async function typeset(el) {
  const source = el.textContent;
  try {
    (await katex()).render(el.dataset.tex, el, {
      displayMode: el.classList.contains("tex-block"),
      throwOnError: true,
      trust: false,
      maxExpand: 500,
      maxSize: 20,
    });
  } catch {
    el.textContent = source;
  }
}
