// The bar above the pages of a PDF (page, size, search), and what is said when it cannot be shown.
import { fill, gettext } from "../js/i18n.js";
import { PdfFind } from "./pdf-find.js";
import { PdfView } from "./pdf-view.js";

const PAUSE_MS = 250; // in typing, before the document is searched
const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

/**
 * Opens the PDF of `section` and shows the places that are written in it; null without a section.
 * @param {(address: string) => void} showText called when there are no pages to be shown
 */
export async function openPages(section, showText) {
  if (!section) return null;
  const { file, worker } = section.dataset;
  const note = section.querySelector("[data-pdf-note]");
  const say = (text) => {
    note.hidden = !text;
    note.textContent = text;
  };
  let view;
  try {
    const base = worker.slice(0, worker.lastIndexOf("/") + 1);
    view = await PdfView.open(section.querySelector(".pdf-pages"), { file, base });
  } catch (error) {
    section.dataset.state = "failed";
    say(reasonOf(error));
    note.classList.add("warn");
    await showText(section.dataset.text);
    return null;
  }
  bindBar(section, view);
  const show = async (places) => say(found(await view.show(places), places.length));
  section.dataset.state = "ready";
  const places = JSON.parse(document.getElementById("places").textContent);
  if (places.length) await show(places);
  section.dataset.state = "shown";
  return { view, show };
}

function reasonOf(error) {
  if (error.name === "PasswordException") {
    return gettext("This PDF is protected by a password, so its pages cannot be shown here. Download it to open it.");
  }
  if (error.name === "InvalidPDFException" || error.name === "FormatError") {
    return gettext("This PDF is damaged, so its pages cannot be shown.");
  }
  return gettext("The pages of this PDF cannot be shown. Download it to open it.");
}

function found(how, count) {
  if (!count || how === "exact") return "";
  if (how === "close") return gettext("The passage is not on the page word for word: the closest words are marked.");
  if (how === "page") return gettext("The words of this passage cannot be found on its page, as in a scan or a drawing. The stored text has them.");
  return gettext("The words of this passage cannot be found on the pages. The stored text has them.");
}

function bindBar(section, view) {
  const part = (name) => section.querySelector(`[data-${name}]`);
  const number = part("page-number");
  part("page-count").textContent = view.pages.length;
  const showPage = () => {
    if (document.activeElement !== number) number.value = view.current;
    part("page-by='-1'").disabled = view.current <= 1;
    part("page-by='1'").disabled = view.current >= view.pages.length;
  };
  const showScale = () => {
    part("zoom-level").textContent = percent.format(view.zoom);
    part("zoom='0'").ariaPressed = view.isFitted;
  };
  view.addEventListener("page", showPage);
  view.addEventListener("scale", showScale);
  showPage();
  showScale();
  section.querySelector(".pdf-bar").addEventListener("click", ({ target }) => {
    const { pageBy, zoom } = target.closest("button")?.dataset ?? {};
    if (pageBy) view.goTo(view.current + Number(pageBy));
    if (zoom) view.zoomBy(Number(zoom));
  });
  number.addEventListener("change", () => {
    const wanted = Number.parseInt(number.value, 10);
    if (wanted) view.goTo(wanted);
    number.value = view.current;
  });
  number.addEventListener("keydown", (event) => event.key === "Enter" && number.blur());
  bindFind(section, view, part);
}

function bindFind(section, view, part) {
  const form = part("search-form");
  const input = form.querySelector("input");
  const find = new PdfFind(view);
  let pause = 0;
  let searched = "";
  const search = () => {
    clearTimeout(pause);
    if (input.value === searched) return;
    searched = input.value;
    find.search(searched);
  };
  find.addEventListener("change", () => {
    const count = find.hits.length;
    part("search-count").textContent = searched.trim() ? countOf(find, count) : "";
    for (const button of form.querySelectorAll("[data-search-by]")) button.hidden = !count;
  });
  input.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(search, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value === searched) find.step(1);
    else search();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      find.step(-1);
    } else if (event.key === "Escape" && input.value) {
      event.preventDefault();
      input.value = "";
      search();
    }
  });
  form.addEventListener("click", ({ target }) => {
    const { searchBy } = target.closest("button")?.dataset ?? {};
    if (searchBy) find.step(Number(searchBy));
  });
  // Pages that are not drawn yet are nothing to the browser's own search.
  section.addEventListener("keydown", (event) => {
    const isFind = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "f";
    if (!isFind || document.activeElement === input) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

function countOf(find, count) {
  if (!count) return find.isDone ? gettext("Not found") : gettext("Searching…");
  return fill(gettext("%(position)s of %(count)s"), { position: find.position || 1, count });
}
