// What the browser tests of Markdown look at; served beside the harness page.
const words = (text) => new Set(text.split(" "));
const TAGS = words(
  "p br hr h1 h2 h3 h4 h5 h6 strong em s del code pre blockquote ul ol li a img span div " +
    "table thead tbody tr th td",
);
const ATTRIBUTES = words(
  "href title src alt start class data-tex data-align data-lang data-note aria-label data-url",
);
const CLASSES = words(
  "md-live far cite away footnote footnote-text footnotes footnote-back remote-image table tex " +
    "tex-block tex-open task task-item",
);

const MOST_PIECES = 120;

/** Elements, attributes, addresses and classes that no answer may have. */
function findForbidden(root) {
  const found = [];
  for (const el of root.querySelectorAll("*")) {
    const href = el.getAttribute("href") ?? "#";
    const src = el.getAttribute("src") ?? "/files/";
    const fine =
      TAGS.has(el.localName) &&
      [...el.attributes].every(({ name }) => ATTRIBUTES.has(name)) &&
      [...el.classList].every((name) => CLASSES.has(name) || name.startsWith("language-")) &&
      /^(#|\/files\/|\/knowledge\/)/.test(href) &&
      src.startsWith("/files/");
    if (!fine) found.push(el.cloneNode().outerHTML.slice(0, 300));
  }
  return found;
}

/** Draws the parts one after the other and answers what was forbidden at any moment. */
function drawParts(parts, check = true) {
  const out = document.getElementById("out");
  out.replaceChildren();
  const stream = new MarkdownStream(out, { cites: new Set(["1"]) });
  const found = [];
  for (const part of parts) {
    stream.push(part);
    stream.flush();
    if (check) found.push(...findForbidden(out));
  }
  stream.end();
  if (check) found.push(...findForbidden(out));
  return { out, found };
}

/** Cuts each text in two at every place, those longer than `longest` at `some` places only. */
function drawAtEverySplit(texts, longest, some) {
  const found = [];
  let drawn = 0;
  for (const text of texts) {
    const step = text.length > longest ? Math.ceil(text.length / some) : 1;
    for (let at = 1; at < text.length; at += step) {
      const result = drawParts([text.slice(0, at), text.slice(at)]);
      drawn += 1;
      for (const what of result.found) found.push({ text, at, what });
    }
  }
  return { drawn, found: found.slice(0, 3) };
}

/** Draws each text whole and in pieces, decorates it (highlighting, formulas) and waits for that. */
async function drawFinished(texts, sizes, check = true) {
  const forbidden = [];
  for (const text of texts) {
    for (const size of sizes) {
      const length = size && Math.max(size, Math.ceil(text.length / MOST_PIECES));
      const parts = size ? text.match(new RegExp(`[^]{1,${length}}`, "g")) : [text];
      const { out, found } = drawParts(parts, check);
      for (const block of [...out.children]) enhance(block);
      for (const what of found) forbidden.push({ text, size, what });
    }
    await new Promise((done) => setTimeout(done)); // what draws elsewhere may begin
  }
  await new Promise((done) => requestIdleCallback(done, { timeout: 2000 }));
  await new Promise((done) => setTimeout(done, 200));
  return forbidden.slice(0, 3);
}

const violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
Object.assign(window, { drawAtEverySplit, drawFinished, findForbidden, violations });
