// One page of a PDF: its picture, its selectable text, its links, and boxes over found words.
import { fill, gettext } from "../js/i18n.js";
import { reduce } from "../js/text-match.js";

const MOST_PIXELS = 16_777_216; // of one canvas; phones refuse larger ones
const ENDING = /^\p{P}*/u; // is no letter, but belongs to what it ends
const OPENED = /^(?:https?|mailto):/i;

export class PdfPage {
  #proxy = null;
  #drawing = null; // what is being drawn, or has been; null when the page is empty
  #text = null;
  #divs = [];
  #boxes = new Map(); // name → spans

  constructor(view, number) {
    this.view = view;
    this.number = number;
    this.el = document.createElement("div");
    this.el.className = "pdf-page";
    this.el.dataset.page = number;
    this.el.role = "region";
    this.el.ariaLabel = fill(gettext("Page %(page)s"), { page: number });
  }

  get isDrawn() {
    return this.#drawing !== null;
  }

  /** Gives the empty page the size of its viewport at scale 1. */
  size({ width, height }) {
    this.el.style.setProperty("--page-width", width);
    this.el.style.setProperty("--page-height", height);
  }

  async load() {
    if (!this.#proxy) {
      this.#proxy = await this.view.pdf.getPage(this.number);
      this.size(this.#proxy.getViewport({ scale: 1 }));
    }
    return this.#proxy;
  }

  /** The page's text items, and their letters with the place of each: [item, index in it]. */
  text() {
    this.#text ??= this.load().then(async (proxy) => {
      const content = await proxy.getTextContent();
      const letters = [];
      const at = [];
      content.items.forEach(({ str }, item) => {
        const reduced = reduce(str);
        letters.push(reduced.letters);
        for (const index of reduced.at) at.push([item, index]);
      });
      return { content, letters: letters.join(""), at };
    });
    return this.#text;
  }

  /** Draws the page at the view's scale; again only when that has changed. */
  draw() {
    if (this.#drawing?.scale === this.view.scale) return this.#drawing.done;
    this.#drawing?.task?.cancel();
    const drawing = { scale: this.view.scale };
    this.#drawing = drawing;
    drawing.done = this.#draw(drawing).catch((error) => {
      if (error.name !== "RenderingCancelledException") throw error;
    });
    return drawing.done;
  }

  async #draw(drawing) {
    const proxy = await this.load();
    const viewport = proxy.getViewport({ scale: drawing.scale });
    const ratio = Math.min(devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (viewport.width * viewport.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.floor(viewport.width * ratio);
    canvas.height = Math.floor(viewport.height * ratio);
    canvas.ariaHidden = "true";
    const transform = ratio === 1 ? null : [ratio, 0, 0, ratio, 0, 0];
    drawing.task = proxy.render({ canvas, viewport, transform });
    await drawing.task.promise;
    if (this.#drawing !== drawing) return;
    this.el.querySelector("canvas")?.remove();
    this.el.prepend(canvas);
    if (!this.el.querySelector(".textLayer")) await this.#addText(viewport);
    this.#drawBoxes();
    this.el.dataset.drawn = "yes";
  }

  async #addText(viewport) {
    const { content } = await this.text();
    const layer = document.createElement("div");
    layer.className = "textLayer";
    const drawn = new this.view.library.TextLayer({ textContentSource: content, container: layer, viewport });
    await drawn.render();
    this.#divs = drawn.textDivs;
    this.el.append(layer, await this.#links());
  }

  /** Of all that a PDF may do, links alone: to its own pages, and to elsewhere after a question. */
  async #links() {
    const proxy = await this.load();
    const viewport = proxy.getViewport({ scale: 1 });
    const links = document.createElement("div");
    links.className = "pdf-links";
    for (const annotation of await proxy.getAnnotations()) {
      if (annotation.subtype !== "Link") continue;
      const link = this.#link(annotation);
      if (!link) continue;
      const [left, bottom, right, top] = annotation.rect;
      const [a, b] = viewport.convertToViewportPoint(left, bottom);
      const [c, d] = viewport.convertToViewportPoint(right, top);
      place(link, [Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b)], viewport);
      links.append(link);
    }
    return links;
  }

  #link({ url, dest }) {
    const link = document.createElement("a");
    if (url && OPENED.test(url)) {
      link.className = "away";
      link.href = "#away";
      link.dataset.url = url;
      link.ariaLabel = fill(gettext("Link to %(address)s"), { address: url });
      link.title = url;
    } else if (dest) {
      link.href = "#pages";
      link.ariaLabel = gettext("Link within the document");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.view.openDestination(dest);
      });
    } else {
      return null;
    }
    return link;
  }

  /** Lays boxes named `name` over these spans of letters; they come back when the page does. */
  mark(name, spans) {
    if (spans.length) this.#boxes.set(name, spans);
    else this.#boxes.delete(name);
    if (this.#divs.length) this.#drawBoxes();
  }

  async #drawBoxes() {
    const { at } = await this.text();
    this.el.querySelector(".pdf-boxes")?.remove();
    if (!this.#divs.length || !this.#boxes.size) return;
    const layer = document.createElement("div");
    layer.className = "pdf-boxes";
    const frame = this.el.getBoundingClientRect();
    for (const [name, spans] of this.#boxes) {
      for (const [start, end] of spans) {
        for (const box of joined(this.#rects(at, start, end))) {
          const el = document.createElement("div");
          el.className = name;
          place(el, [box.left - frame.left, box.top - frame.top, box.width, box.height], frame);
          layer.append(el);
        }
      }
    }
    this.el.querySelector("canvas")?.after(layer);
  }

  *#rects(at, start, end) {
    for (let from = start; from < end; ) {
      const [item] = at[from];
      let to = from;
      while (to + 1 < end && at[to + 1][0] === item) to += 1;
      const node = this.#divs[item]?.firstChild;
      if (node) {
        const range = document.createRange();
        range.setStart(node, at[from][1]);
        const last = at[to][1] + 1;
        range.setEnd(node, Math.min(last + ENDING.exec(node.data.slice(last))[0].length, node.length));
        yield* range.getClientRects();
      }
      from = to + 1;
    }
  }

  /** Gives back what the picture and the text take. */
  clear() {
    this.#drawing?.task?.cancel();
    this.#drawing = null;
    this.#divs = [];
    for (const canvas of this.el.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
    this.el.replaceChildren();
    delete this.el.dataset.drawn;
    this.#proxy?.cleanup();
  }
}

/** By the page's size, so that it stays in place at every scale. */
function place(el, [left, top, width, height], whole) {
  el.style.left = `${(100 * left) / whole.width}%`;
  el.style.top = `${(100 * top) / whole.height}%`;
  el.style.width = `${(100 * width) / whole.width}%`;
  el.style.height = `${(100 * height) / whole.height}%`;
}

/** Rectangles of one line that touch, or nearly, as one. */
function joined(rects) {
  const boxes = [];
  for (const { left, top, right, bottom } of rects) {
    if (right - left < 0.5) continue;
    const last = boxes.at(-1);
    const height = bottom - top;
    const isOnLine = last && Math.min(last.bottom, bottom) - Math.max(last.top, top) > height * 0.6;
    if (isOnLine && left - last.right < height && last.left - right < height) {
      last.left = Math.min(last.left, left);
      last.right = Math.max(last.right, right);
      last.top = Math.min(last.top, top);
      last.bottom = Math.max(last.bottom, bottom);
    } else {
      boxes.push({ left, top, right, bottom });
    }
  }
  return boxes.map((box) => ({ ...box, width: box.right - box.left, height: box.bottom - box.top }));
}
