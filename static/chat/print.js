// Before printing the conversation gets a head, and every answer its sources as footnotes; both
// go again afterwards.
import { fill, gettext } from "../js/i18n.js";
import { answerOf } from "./answer.js";
import { lineNumbers } from "./steps.js";
import { list } from "./thread.js";

const QUOTE = 240; // characters of a passage
const dates = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });

/** Call it after whatever else draws the page when it is printed. */
export function printFootnotes() {
  addEventListener("beforeprint", add);
  addEventListener("afterprint", remove);
}

const element = (name, className) => Object.assign(document.createElement(name), { className });

function add() {
  remove();
  list.before(head());
  for (const el of list.querySelectorAll(".answer")) {
    const answer = answerOf(el);
    if (answer?.citations.length) el.append(footnotes(answer.sources));
  }
}

function remove() {
  for (const el of document.querySelectorAll(".print-head, .print-sources")) el.remove();
}

function head() {
  const box = element("header", "print-head");
  const title = document.createElement("h1");
  const where = document.createElement("p");
  title.textContent = document.getElementById("conversation-title").textContent;
  where.textContent = `Parley · ${dates.format(new Date())} · ${location.origin}${location.pathname}`;
  box.append(title, where);
  return box;
}

function footnotes(sources) {
  const box = element("ol", "print-sources");
  for (const source of sources) {
    const item = document.createElement("li");
    const title = document.createElement("b");
    title.textContent = `[${source.n}] ${source.title}`;
    item.append(title, ` ${place(source)}`);
    box.append(item);
  }
  return box;
}

/** Where in the document, and its words if they are known. */
function place({ heading_path: path = [], page, lines, quote = "" }) {
  const number = page ? fill(gettext("page %(n)s"), { n: page }) : "";
  const where = [path.join(" › "), number, lines ? lineNumbers(lines) : ""].filter(Boolean).join(", ");
  const words = quote.length > QUOTE ? `${quote.slice(0, QUOTE)}…` : quote;
  return [where, words && fill(gettext("“%(query)s”"), { query: words })].filter(Boolean).join(": ");
}
