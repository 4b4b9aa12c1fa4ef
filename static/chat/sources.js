// The sources panel: a column on wide screens, a sheet on phones. Opens the passage behind a
// citation in its context, with the quoted words marked.
import { fetchFragment } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";
import { documentUrl, excerptUrl, whyUrl } from "./citations.js";
import { waysOf } from "./proof.js";
import { place } from "./steps.js";

const shell = document.getElementById("shell");
const panel = document.getElementById("sources");
const list = panel.querySelector("[data-list]");
const others = panel.querySelector("[data-others]");
const othersList = others.querySelector("ul");
const scroller = panel.querySelector("[data-scroller]");
const button = document.getElementById("show-sources");
const why = panel.querySelector("[data-why-page]"); // where there is no such page, no link

let answer = null;
let opener = null;
let measured = false; // whether the panel's scrolling will be looked at in the next frame

export const isOpen = () => !panel.hidden;

/** Offers the panel for `shown`, the newest answer with sources. */
export function offerSources(shown) {
  const count = shown?.citations.length ? shown.sources.length : 0;
  button.hidden = !count;
  button.querySelector("[data-count]").textContent = count;
  if (isOpen() && count) draw(shown);
  else if (!isOpen()) answer = shown;
}

/** Opens the panel with the sources of `shown`, at number `n` if given; `from` gets focus back. */
export function openSources(shown, n, from) {
  opener = from;
  draw(shown);
  panel.hidden = false;
  shell.classList.add("with-panel");
  button.setAttribute("aria-expanded", "true");
  const row = rows().find((el) => el.dataset.n === String(n)) ?? list.children[0];
  if (others.contains(row)) others.open = true;
  if (row) openRow(row);
}

export function closeSources() {
  panel.hidden = true;
  shell.classList.remove("with-panel");
  button.setAttribute("aria-expanded", "false");
  light(null);
  opener?.focus();
}

const rows = () => [...list.children, ...othersList.children];

function draw(shown) {
  const open = answer === shown ? panel.querySelector(".source.open")?.dataset.n : null;
  answer = shown;
  const { sources, gone = [], uncited = [] } = shown;
  panel.querySelector("[data-count]").textContent = sources.length;
  const entries = [...sources, ...[...gone].map((n) => ({ n: Number(n), isGone: true }))];
  entries.sort((a, b) => a.n - b.n);
  list.replaceChildren(...entries.map((entry) => (entry.isGone ? drawGone(entry) : drawSource(entry))));
  othersList.replaceChildren(...uncited.map(drawSource));
  others.hidden = !uncited.length;
  others.querySelector("[data-others-count]").textContent = uncited.length;
  if (why) why.href = whyUrl(shown.el);
  const again = rows().find((el) => el.dataset.n === open);
  if (again) openRow(again, { focus: false });
}

function drawSource(source) {
  const row = document.getElementById("source-template").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`[data-${name}]`);
  row.dataset.n = source.n;
  row.id = `source-${source.n}`;
  part("n").textContent = source.n;
  part("title").textContent = source.title;
  part("where").textContent = place(source);
  part("how").textContent = waysOf(answer.citations, source.n);
  part("open").href = documentUrl(source);
  if (source.page) {
    part("open-label").textContent = fill(gettext("Read page %(page)s"), { page: source.page });
  }
  row.querySelector("button").addEventListener("click", () => {
    if (row.classList.contains("open")) closeRow(row);
    else openRow(row, { focus: false });
  });
  part("previous").addEventListener("click", () => openRow(neighbour(row, -1)));
  part("next").addEventListener("click", () => openRow(neighbour(row, 1)));
  row.source = source;
  return row;
}

/** A number whose document is gone or hidden: nothing is known of it but that. */
function drawGone({ n }) {
  const row = document.getElementById("gone-template").content.firstElementChild.cloneNode(true);
  row.dataset.n = n;
  row.id = `source-${n}`;
  row.querySelector("[data-n]").textContent = n;
  return row;
}

function neighbour(row, by) {
  const all = rows().filter((el) => others.open || !others.contains(el));
  return all[all.indexOf(row) + by];
}

function openRow(row, { focus = true } = {}) {
  for (const other of panel.querySelectorAll(".source.open")) closeRow(other);
  row.classList.add("open");
  light(row.dataset.n);
  const head = row.querySelector("button") ?? row;
  if (focus) head.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (!row.source) return;
  head.setAttribute("aria-expanded", "true");
  row.querySelector("[data-passage]").hidden = false;
  row.querySelector("[data-previous]").disabled = !neighbour(row, -1);
  row.querySelector("[data-next]").disabled = !neighbour(row, 1);
  fetchExcerpt(row);
}

function closeRow(row) {
  row.classList.remove("open");
  if (!row.source) return;
  row.querySelector("button").setAttribute("aria-expanded", "false");
  row.querySelector("[data-passage]").hidden = true;
}

async function fetchExcerpt(row) {
  const box = row.querySelector("[data-excerpt]");
  if (row.dataset.fetched) return;
  row.dataset.fetched = "yes";
  try {
    box.replaceChildren(await fetchFragment(excerptUrl(row.source)));
    const quote = box.querySelector("blockquote");
    const mark = box.querySelector("mark");
    if (mark) quote.scrollTop = mark.offsetTop - quote.offsetTop - quote.clientHeight / 4;
    if (quote && quote.scrollHeight > quote.clientHeight) quote.tabIndex = 0;
  } catch (error) {
    if (error.status === 404) showGone(row, box);
    else {
      delete row.dataset.fetched;
      box.textContent = error.message;
    }
  }
  row.scrollIntoView({ block: "nearest" });
}

/** The document went while the page was open: its name goes too. */
function showGone(row, box) {
  const gone = drawGone({ n: row.dataset.n });
  box.replaceChildren(gone.querySelector("[data-why]"));
  row.querySelector("[data-title]").textContent = gone.querySelector("[data-title]").textContent;
  row.querySelector("[data-where]").textContent = "";
  row.querySelector("[data-open]").hidden = true;
}

/** Lights up the chips of source `n` in the answer it belongs to. */
function light(n) {
  for (const chip of document.querySelectorAll(".cite[aria-current]")) {
    chip.removeAttribute("aria-current");
  }
  if (!n || !answer) return;
  for (const chip of answer.el.querySelectorAll(`.cite[href="#source-${n}"]`)) {
    chip.setAttribute("aria-current", "true");
  }
}

/** While the panel scrolls, the chips of the source at its top are lit. */
function follow() {
  measured = false;
  if (!isOpen()) return;
  const top = scroller.getBoundingClientRect().top + 24;
  const isAtEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
  const shown = rows().filter((row) => row.offsetParent);
  const first = shown.find((row) => row.getBoundingClientRect().bottom > top);
  const open = panel.querySelector(".source.open");
  const isOpenSeen = open && open.getBoundingClientRect().bottom > top;
  light((isAtEnd && isOpenSeen ? open : first)?.dataset.n);
}

scroller.addEventListener(
  "scroll",
  () => {
    if (!measured) requestAnimationFrame(follow);
    measured = true;
  },
  { passive: true },
);
panel.querySelector("[data-close]").addEventListener("click", closeSources);
button.addEventListener("click", () => {
  if (isOpen()) closeSources();
  else openSources(answer, null, button);
});
