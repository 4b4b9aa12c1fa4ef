// Decorates one finished block: highlighting, formulas, diagrams, the tools of code, tables and
// pictures, keyboard access to what scrolls. The large libraries are fetched only when needed.
import { settleFormula } from "./formulas.js";
import { fill, gettext } from "./i18n.js";
import { safe } from "./md-stream.js";

const LONGEST = 60_000; // longer code stays plain
const DIAGRAM = "mermaid";
const idle = window.requestIdleCallback ?? ((run) => setTimeout(run, 60));

const once = (load) => {
  let loading;
  return () => (loading ??= load());
};
const highlighter = once(async () => (await import("../vendor/highlight.js")).default);
const diagrams = once(() => import("./diagrams.js"));

/** @param {Element} block a finished top-level block of an answer */
export function enhance(block) {
  for (const pre of within(block, "pre")) enhanceCode(pre);
  for (const table of within(block, ".table")) {
    makeRegion(table, gettext("Table"));
    frame(table, "table-frame", "table-tools-template");
  }
  for (const image of within(block, "img")) enhanceImage(image);
  for (const tex of within(block, ".tex:not(:has(.katex))")) idle(() => settleFormula(tex));
}

function within(block, selector) {
  const found = [...block.querySelectorAll(selector)];
  return block.matches(selector) ? [block, ...found] : found;
}

function makeRegion(el, label) {
  el.tabIndex = 0;
  el.role = "group"; // not a region: landmarks need names of their own
  el.ariaLabel = label;
}

/** Puts the element into a box with the buttons of the page's template, if the page has one. */
function frame(el, className, templateId) {
  const template = document.getElementById(templateId);
  const box = document.createElement("div");
  box.className = className;
  el.replaceWith(box);
  box.append(el);
  if (template) box.append(template.content.cloneNode(true));
  return box;
}

function enhanceCode(pre) {
  const code = pre.querySelector("code[class]");
  const language = /language-([\w+#.-]+)/.exec(code?.className)?.[1];
  const isDiagram = language === DIAGRAM;
  makeRegion(pre, gettext("Code"));
  const box = frame(pre, "code", isDiagram ? "diagram-tools-template" : "code-tools-template");
  const wraps = String("wrapCode" in document.documentElement.dataset);
  box.querySelector("[data-wrap-code]")?.setAttribute("aria-pressed", wraps);
  if (isDiagram) idle(async () => (await diagrams()).showDiagram(box));
  else if (language) idle(() => highlight(code, language));
}

async function highlight(code, language) {
  const text = code.textContent;
  const hljs = await highlighter();
  if (text.length > LONGEST || !hljs.getLanguage(language)) return;
  code.replaceChildren(safe(hljs.highlight(text, { language }).value));
}

/** A picture is a button that opens it; one that is gone says so in its place. */
function enhanceImage(image) {
  image.decoding = "async";
  image.addEventListener("error", () => {
    const said = document.createElement("span");
    said.className = "picture-gone";
    said.textContent = [gettext("This picture is not available."), image.alt].join(" ").trim();
    (image.closest(".picture") ?? image).replaceWith(said);
  });
  if (image.closest("a")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picture";
  button.ariaLabel = image.alt
    ? fill(gettext("Enlarge the picture: %(name)s"), { name: image.alt })
    : gettext("Enlarge the picture");
  image.replaceWith(button);
  button.append(image);
}
