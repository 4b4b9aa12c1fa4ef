// The pages of a PDF in a scrolling box: only those near the reader are drawn.
//
// A PDF's scripts, forms and actions are never run: nothing here asks pdf.js for them.
import { locate, reduce } from "../js/text-match.js";
import { PdfPage } from "./pdf-page.js";

const CSS_PER_POINT = 96 / 72;
const ZOOMS = [0.25, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4];
const KEPT = 10; // pages that stay drawn
const MARGIN = 32; // pixels beside a page that fits the width
const CLOSE_ENOUGH = 0.5; // share of a passage that must be found on the pages
const PAGES_OF_A_PASSAGE = 3;

export class PdfView extends EventTarget {
  #wanted = null; // zoom chosen by the reader; null: as wide as the box
  #near;
  #current = 0;

  /** Opens the file; throws what pdf.js throws (`PasswordException`, `InvalidPDFException`, …). */
  static async open(box, { file, base }) {
    const library = await import("../vendor/pdfjs-6.5.438/pdf.mjs");
    library.GlobalWorkerOptions.workerSrc = `${base}pdf.worker.mjs`;
    const task = library.getDocument({
      url: file,
      withCredentials: true,
      disableRange: true,
      enableXfa: false,
      isEvalSupported: false,
      useWasm: false,
      cMapUrl: `${base}cmaps/`,
      standardFontDataUrl: `${base}fonts/`,
      wasmUrl: `${base}decoders/`,
      useWorkerFetch: true,
      verbosity: library.VerbosityLevel.ERRORS,
    });
    const view = new PdfView(box, library, await task.promise);
    await view.#begin();
    return view;
  }

  constructor(box, library, pdf) {
    super();
    this.box = box;
    this.library = library;
    this.pdf = pdf;
    this.pages = Array.from({ length: pdf.numPages }, (_, at) => new PdfPage(this, at + 1));
  }

  async #begin() {
    const first = (await this.pdf.getPage(1)).getViewport({ scale: 1 });
    this.first = first;
    for (const page of this.pages) page.size(first);
    this.#applyScale();
    this.box.replaceChildren(...this.pages.map(({ el }) => el));
    this.#near = new IntersectionObserver((entries) => this.#seen(entries), {
      root: this.box,
      rootMargin: "75% 0px",
    });
    for (const { el } of this.pages) this.#near.observe(el);
    this.box.addEventListener("scroll", () => this.#noteCurrent(), { passive: true });
    new ResizeObserver(() => this.#wanted === null && this.#rescale()).observe(this.box);
    this.#noteCurrent();
  }

  get scale() {
    return this.zoom * CSS_PER_POINT;
  }

  get zoom() {
    return this.#wanted ?? this.#fitting();
  }

  get isFitted() {
    return this.#wanted === null;
  }

  get current() {
    return this.#current;
  }

  #fitting() {
    const room = Math.max(this.box.clientWidth - MARGIN, 160);
    return Math.min(room / (this.first.width * CSS_PER_POINT), 2);
  }

  /** Larger (1), smaller (-1) or as wide as the box (0). */
  zoomBy(direction) {
    const now = this.zoom;
    const next =
      direction > 0
        ? ZOOMS.find((zoom) => zoom > now + 0.01)
        : ZOOMS.findLast((zoom) => zoom < now - 0.01);
    this.#wanted = direction ? (next ?? now) : null;
    this.#rescale();
  }

  /** Keeps the place in the document that stood at the top of the box. */
  #rescale() {
    const page = this.pages[this.#current - 1] ?? this.pages[0];
    const share = (this.box.scrollTop - page.el.offsetTop) / page.el.offsetHeight;
    this.#applyScale();
    this.box.scrollTop = page.el.offsetTop + share * page.el.offsetHeight;
    clearTimeout(this.redrawing);
    this.redrawing = setTimeout(() => {
      for (const drawn of this.pages) if (drawn.isDrawn) this.#draw(drawn);
    }, 120);
  }

  #applyScale() {
    this.box.style.setProperty("--total-scale-factor", this.scale);
    this.dispatchEvent(new Event("scale"));
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const page = this.pages[target.dataset.page - 1];
      page.isNear = isIntersecting;
      if (isIntersecting) this.#draw(page);
    }
    this.#forget();
  }

  #forget() {
    const drawn = this.pages.filter((page) => page.isDrawn && !page.isNear);
    const distance = (page) => Math.abs(page.number - this.#current);
    const far = drawn.sort((a, b) => distance(b) - distance(a));
    for (const page of far.slice(0, Math.max(0, far.length - KEPT))) page.clear();
  }

  async #draw(page) {
    try {
      await page.draw();
    } catch (error) {
      page.el.dataset.failed = "yes"; // the others can still be read
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  #noteCurrent() {
    const line = this.box.scrollTop + this.box.clientHeight / 3;
    let low = 0;
    let high = this.pages.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.pages[middle].el.offsetTop <= line) low = middle;
      else high = middle - 1;
    }
    if (this.#current === low + 1) return;
    this.#current = low + 1;
    this.dispatchEvent(new Event("page"));
  }

  /** Scrolls to the top of page `number`. */
  async goTo(number) {
    const page = this.pages[Math.min(Math.max(number, 1), this.pages.length) - 1];
    await page.load();
    this.box.scrollTop = page.el.offsetTop - MARGIN / 4;
    this.#noteCurrent();
  }

  async openDestination(name) {
    const explicit = typeof name === "string" ? await this.pdf.getDestination(name) : name;
    if (!explicit) return;
    const [target] = explicit;
    const index = Number.isInteger(target) ? target : await this.pdf.getPageIndex(target);
    await this.goTo(index + 1);
  }

  /**
   * Lays boxes over passages ({quote, before, after, page}) and shows the first of them.
   * @returns {Promise<"exact"|"close"|"page"|"none">} how well the first one was found
   */
  async show(places) {
    const found = await Promise.all(places.map((place) => this.#find(place)));
    for (const page of this.pages) page.mark("cited", spansOn(page, found));
    const best = found.find(({ pages }) => pages.length) ?? found[0];
    if (!best) return "none";
    if (!best.pages.length) {
      if (!best.place.page) return "none";
      await this.goTo(best.place.page);
      return "page";
    }
    await this.reveal(best.pages[0].page, "cited");
    return best.share === 1 ? "exact" : "close";
  }

  async #find(place) {
    const { quote, before, after, page } = place;
    const needle = reduce(quote).letters;
    const around = { before: reduce(before).letters, after: reduce(after).letters };
    const nearby = page ? this.pages.slice(page - 1, page - 1 + PAGES_OF_A_PASSAGE) : [];
    for (const pages of [nearby, this.pages.length <= 40 ? this.pages : []]) {
      const texts = await Promise.all(pages.map((one) => one.text()));
      const found = locate(needle, texts.map(({ letters }) => letters).join(""), around);
      if (!(found?.share >= CLOSE_ENOUGH)) continue;
      return { place, share: found.share, pages: byPage(found.spans, pages, texts) };
    }
    return { place, share: 0, pages: [] };
  }

  /** Draws the page and brings its first box of this name to the reader. */
  async reveal(number, name) {
    await this.goTo(number);
    const page = this.pages[number - 1];
    await page.draw();
    const box = page.el.querySelector(`.pdf-boxes .${name}`);
    if (!box) return;
    const top = page.el.offsetTop + box.offsetTop;
    const left = page.el.offsetLeft + box.offsetLeft;
    const isBeside = left < this.box.scrollLeft || left + box.offsetWidth > this.box.scrollLeft + this.box.clientWidth;
    this.box.scrollTo({
      top: top - this.box.clientHeight / 3,
      left: isBeside ? left - MARGIN : this.box.scrollLeft,
    });
    this.#noteCurrent();
  }
}

function spansOn({ number }, found) {
  return found.flatMap(({ pages }) => pages.filter(({ page }) => page === number)).flatMap(({ spans }) => spans);
}

/** Spans in the joined letters of several pages, as spans of each page. */
function byPage(spans, pages, texts) {
  const found = [];
  let offset = 0;
  texts.forEach(({ letters }, at) => {
    const here = spans
      .map(([start, end]) => [Math.max(start - offset, 0), Math.min(end - offset, letters.length)])
      .filter(([start, end]) => start < end);
    if (here.length) found.push({ page: pages[at].number, spans: here });
    offset += letters.length;
  });
  return found;
}
