// Incremental, XSS-safe Markdown for streamed model output.
//
// Finished blocks are rendered once and never touched again; only the last, still growing block
// is rebuilt. An open code fence is appended to, not rebuilt. Nothing reaches the page except
// through `safe()`, and raw HTML is never parsed.
import { MarkdownIt, cjkFriendly, DOMPurify } from "../vendor/markdown.js";
import { fill, gettext } from "./i18n.js";
import { footnotes, gatherFootnotes } from "./md-footnotes.js";
import { headings, settleHeadings } from "./md-headings.js";
import { maths } from "./md-maths.js";
import { tasks } from "./md-tasks.js";

const LAID_OUT = 40; // blocks at the end; those further up only when they come into view
const SHARE = 3; // wait 3x the last render: at most a quarter of the main thread
const LOCAL_IMAGE = /^\/files\//; // the only images loaded without a click
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 strong em s del code pre blockquote ul ol li a img span div " +
  "table thead tbody tr th td";
const DATA = ["data-tex", "data-align", "data-lang", "data-note"];
const ALLOWED = {
  ALLOWED_TAGS: TAGS.split(" "),
  ALLOWED_ATTR: ["href", "title", "src", "alt", "start", "class", ...DATA],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/files\/|\/knowledge\/|#)/i,
  ADD_URI_SAFE_ATTR: ["start", ...DATA],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

// "reference" is off: a half-received [1]: https://… would be remembered as the definition.
const md = new MarkdownIt({ html: false, linkify: true })
  .disable("reference")
  .use(cjkFriendly)
  .use(footnotes)
  .use(headings)
  .use(maths)
  .use(tasks);
const esc = md.utils.escapeHtml;

// [3] becomes a link into the sources panel, if passage 3 was given to the model.
md.inline.ruler.before("link", "cite", (state, silent) => {
  const match = /^\[(\d{1,3})\](?!\()/.exec(state.src.slice(state.pos, state.pos + 6));
  if (!match || !state.env.cites?.has(match[1])) return false;
  if (!silent) state.push("cite", "a", 0).content = match[1];
  state.pos += match[0].length;
  return true;
});
md.renderer.rules.cite = (tokens, i) =>
  `<a class="cite" href="#source-${tokens[i].content}">${tokens[i].content}</a>`;

md.renderer.rules.image = (tokens, i) => {
  const src = tokens[i].attrGet("src");
  const alt = esc(tokens[i].content);
  if (LOCAL_IMAGE.test(src)) return `<img src="${esc(src)}" alt="${alt}">`;
  return `<a class="remote-image" href="${esc(src)}">${alt || "image"}</a>`; // never a request
};

// style="" would be refused by the content security policy.
for (const cell of ["th_open", "td_open"]) {
  md.renderer.rules[cell] = (tokens, i) => {
    const align = /:(\w+)/.exec(tokens[i].attrGet("style") ?? "");
    return `<${tokens[i].tag}${align ? ` data-align="${align[1]}"` : ""}>`;
  };
}
md.renderer.rules.table_open = () => '<div class="table"><table>';
md.renderer.rules.table_close = () => "</table></div>";

md.renderer.rules.fence = (tokens, i) => {
  const language = /^[\w+#.-]{1,30}/.exec(tokens[i].info.trim())?.[0] ?? "";
  const label = language ? ` data-lang="${esc(language)}"` : "";
  const name = language ? ` class="language-${esc(language)}"` : "";
  return `<pre${label}><code${name}>${esc(tokens[i].content)}</code></pre>\n`;
};

// Our own classes and those of the highlighter: nothing may dress up as another part of the page.
const CLASS =
  /^(?:cite|footnote|footnote-text|remote-image|table|tex|tex-block|tex-open|task|task-item|[a-z]+_+|(?:hljs|language)-[\w+#.-]+)$/;

DOMPurify.addHook("afterSanitizeAttributes", (el) => {
  for (const name of [...el.classList]) {
    if (!CLASS.test(name)) el.classList.remove(name);
  }
  if (el.tagName === "A") decorateLink(el);
  if (el.tagName === "IMG" && !LOCAL_IMAGE.test(el.getAttribute("src") ?? "")) el.remove();
});

function decorateLink(link) {
  const href = link.getAttribute("href") ?? "";
  if (link.className === "cite") {
    link.ariaLabel = fill(gettext("Source %(n)s"), { n: link.textContent });
  } else if (/^(?:https?|mailto):/i.test(href)) {
    // Another site: away.js shows the full address before anything is opened.
    if (link.className === "remote-image") link.append(` (${URL.parse(href)?.host ?? "link"})`);
    link.className = "away";
    link.dataset.url = href;
    link.href = "#away";
  }
}

/** Sanitised HTML as a fragment; the only way from text to elements. */
export const safe = (html) => DOMPurify.sanitize(html, ALLOWED);

/**
 * Makes `old` equal to `next`, keeping every node before the first change (and the reader's
 * selection in it).
 */
function patch(old, next) {
  let a = old.firstChild;
  let b = next.firstChild;
  while (a && b && a.isEqualNode(b)) [a, b] = [a.nextSibling, b.nextSibling];
  if (a?.nodeType === 3 && b?.nodeType === 3 && b.data.startsWith(a.data)) {
    a.appendData(b.data.slice(a.length));
    [a, b] = [a.nextSibling, b.nextSibling];
  } else if (a?.nodeType === 1 && b?.nodeType === 1 && a.cloneNode().isEqualNode(b.cloneNode())) {
    patch(a, b);
    [a, b] = [a.nextSibling, b.nextSibling];
  }
  const rest = document.createRange();
  for (const [node, fate] of [[a, "deleteContents"], [b, "extractContents"]]) {
    if (!node) continue;
    rest.setStartBefore(node);
    rest.setEndAfter(node.parentNode.lastChild);
    const moved = rest[fate]();
    if (moved) old.append(moved);
  }
}

function liveBox() {
  const box = document.createElement("div");
  box.className = "md-live";
  return box;
}

export class MarkdownStream {
  #frame = 0;
  #queued = "";
  #tail = "";
  #notBefore = 0;
  #fence = null;
  #far = 0;
  #width = 0;

  /**
   * @param {HTMLElement} root receives the answer
   * @param {{onDraw?: (part: DocumentFragment) => void, onBlock?: (el: Element) => void,
   *   cites?: Set<string>}} [options] `onDraw` runs before anything comes into the page (formulas),
   *   `onBlock` once per finished block (highlighting); `cites` are the numbers that become links
   */
  constructor(root, { onDraw = () => {}, onBlock = () => {}, cites = new Set() } = {}) {
    this.root = root;
    this.onDraw = onDraw;
    this.onBlock = onBlock;
    this.env = { cites };
    this.live = liveBox();
    root.append(this.live);
  }

  /** Takes more text; it is drawn in one of the next frames. */
  push(delta) {
    this.#queued += delta.replaceAll("\r", "");
    this.#frame ||= requestAnimationFrame((now) => this.#tick(now));
  }

  /** Draws what was pushed, now. */
  flush() {
    cancelAnimationFrame(this.#frame);
    this.#notBefore = 0;
    this.#tick(performance.now());
  }

  /** No more text: the last block is finished too. */
  end() {
    cancelAnimationFrame(this.#frame);
    this.#tail += this.#queued;
    this.#settle(this.#render(md.parse(this.#tail, this.env)));
    this.live.remove();
    gatherFootnotes(this.root);
    this.#letGo();
  }

  #tick(now) {
    this.#frame = 0;
    if (now < this.#notBefore) return this.push("");
    this.#hold();
    const added = this.#queued;
    this.#tail += added;
    this.#queued = "";
    if (this.#fence && this.#growFence(added)) return;
    this.#reparse();
    this.#notBefore = now + SHARE * (performance.now() - now);
  }

  #reparse() {
    const lines = this.#tail.split("\n");
    const tokens = md.parse(this.#tail, this.env);
    // A block is closed once another starts below it on a complete line.
    const starts = tokens.filter(
      (t) => t.level === 0 && t.nesting >= 0 && t.map && t.map[0] < lines.length - 1,
    );
    const last = starts.at(-1);
    const cut = starts.length > 1 ? tokens.indexOf(last) : 0;
    if (cut) {
      this.#settle(this.#render(tokens.slice(0, cut)));
      settleHeadings(tokens.slice(0, cut), this.env);
      this.#tail = lines.slice(last.map[0]).join("\n");
      this.#moveOn();
    }
    patch(this.live, this.#render(tokens.slice(cut)));
    const open = last?.type === "fence" && tokens.at(-1) === last && FENCE.exec(this.#tail);
    const text = open && this.live.querySelector("code").firstChild;
    this.#fence = text ? { mark: open[1], line: lines.at(-1), text } : null;
  }

  /** Appends to the open fence; false when a line may close it and the tail must be parsed. */
  #growFence(added) {
    const grown = (this.#fence.line + added).split("\n");
    const mark = this.#fence.mark[0];
    if (grown.some((line) => line.trimStart().startsWith(mark))) {
      this.#fence = null;
      return false;
    }
    this.#fence.line = grown.at(-1);
    this.#fence.text.appendData(added);
    return true;
  }

  #render(tokens) {
    const fragment = safe(md.renderer.render(tokens, md.options, this.env));
    this.onDraw(fragment);
    return fragment;
  }

  /**
   * The answer never becomes shorter while it grows: where its source turns into less than it was,
   * a page that follows its end would pull everything down that is being read.
   */
  #hold() {
    const { offsetHeight, offsetWidth } = this.root; // of the last frame: nothing is laid out again
    if (offsetWidth !== this.#width) this.#letGo();
    else this.root.style.minHeight = `${offsetHeight}px`;
    this.#width = offsetWidth;
  }

  #letGo() {
    this.root.style.minHeight = "";
    if (!this.root.getAttribute("style")) this.root.removeAttribute("style");
  }

  #settle(fragment) {
    const { children } = this.root; // all of them laid out before: their height is remembered
    for (const end = children.length - LAID_OUT; this.#far < end; this.#far++) {
      children[this.#far].classList.add("far");
    }
    const blocks = [...fragment.children];
    this.live.before(fragment);
    blocks.forEach(this.onBlock);
  }

  /** Another box for the next block: the same one would be seen to jump down by a block. */
  #moveOn() {
    const box = liveBox();
    this.live.replaceWith(box);
    this.live = box;
  }
}
