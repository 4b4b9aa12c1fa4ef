// The sources panel: a column on wide screens, a sheet on phones. Opens the passage behind a
// citation in its context, with the quoted words marked.
import { fetchFragment } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";
import { documentUrl, excerptUrl } from "./citations.js";
import { place } from "./steps.js";

const shell = document.getElementById("shell");
const panel = document.getElementById("sources");
const list = panel.querySelector("[data-list]");
const button = document.getElementById("show-sources");

let answer = null;
let opener = null;

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
  const rows = [...list.children];
  const row = rows.find((el) => el.dataset.n === String(n)) ?? rows[0];
  if (row) openRow(row);
}

export function closeSources() {
  panel.hidden = true;
  shell.classList.remove("with-panel");
  button.setAttribute("aria-expanded", "false");
  markCitations(null);
  opener?.focus();
}

function draw(shown) {
  const open = answer === shown ? list.querySelector(".open")?.dataset.n : null;
  answer = shown;
  const sources = shown.sources;
  panel.querySelector("[data-count]").textContent = sources.length;
  list.replaceChildren(...sources.map(drawSource));
  const again = [...list.children].find((el) => el.dataset.n === open);
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
  part("open").href = documentUrl(source);
  if (source.page) {
    part("open-label").textContent = fill(gettext("Read page %(page)s"), { page: source.page });
  }
  part("previous").disabled = source === answer.sources[0];
  row.querySelector("button").addEventListener("click", () => {
    if (row.classList.contains("open")) closeRow(row);
    else openRow(row, { focus: false });
  });
  part("previous").addEventListener("click", () => openRow(row.previousElementSibling));
  part("next").addEventListener("click", () => openRow(row.nextElementSibling));
  row.source = source;
  return row;
}

function openRow(row, { focus = true } = {}) {
  for (const other of list.querySelectorAll(".open")) closeRow(other);
  row.classList.add("open");
  const head = row.querySelector("button");
  head.setAttribute("aria-expanded", "true");
  row.querySelector("[data-passage]").hidden = false;
  row.querySelector("[data-previous]").disabled = !row.previousElementSibling;
  row.querySelector("[data-next]").disabled = !row.nextElementSibling;
  if (focus) head.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  markCitations(row.dataset.n);
  fetchExcerpt(row);
}

function closeRow(row) {
  row.classList.remove("open");
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
    delete row.dataset.fetched;
    box.textContent = error.message;
  }
  row.scrollIntoView({ block: "nearest" });
}

/** Lights up the chips of source `n` in the answer it belongs to. */
function markCitations(n) {
  for (const chip of document.querySelectorAll(".cite[aria-current]")) {
    chip.removeAttribute("aria-current");
  }
  if (!n) return;
  for (const chip of answer.el.querySelectorAll(`.cite[href="#source-${n}"]`)) {
    chip.setAttribute("aria-current", "true");
  }
}

panel.querySelector("[data-close]").addEventListener("click", closeSources);
button.addEventListener("click", () => {
  if (isOpen()) closeSources();
  else openSources(answer, null, button);
});
