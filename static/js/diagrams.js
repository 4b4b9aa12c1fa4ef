// Diagrams: mermaid runs in a frame of an opaque origin under a policy of its own, gets the
// description and answers with an SVG, which the page shows as an image: nothing in it can run,
// load or be clicked. What cannot be drawn stays what it was: code, with a sentence below it.
import { gettext } from "./i18n.js";

const FRAME = "/diagram-frame";
const PATIENCE_MS = 20_000;
const LONGEST = 20_000;
const NEAR = "600px";
const COLOURS = {
  background: "--surface",
  primaryColor: "--accent-soft",
  primaryTextColor: "--text",
  primaryBorderColor: "--accent",
  secondaryColor: "--hover",
  tertiaryColor: "--sunken",
  lineColor: "--muted",
  textColor: "--text",
  noteBkgColor: "--hover",
  noteTextColor: "--text",
  noteBorderColor: "--line-strong",
  edgeLabelBackground: "--surface",
  clusterBkg: "--sunken",
  clusterBorder: "--line-strong",
};
const waiting = new Map();
let opening = null;
let serial = 0;

const visible = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      visible.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: NEAR },
);

/** @param {HTMLElement} box what enhance.js put around the code of a diagram */
export function showDiagram(box) {
  box.classList.add("diagram");
  visible.observe(box);
}

async function draw(box) {
  const source = box.querySelector("code").textContent;
  try {
    if (source.length > LONGEST) throw new Error("too long");
    show(box, await askFrame(source));
    box.querySelector(".diagram-problem")?.remove();
  } catch {
    explain(box);
  }
}

function show(box, svg) {
  const image = new Image();
  const old = box.querySelector("img");
  const [, , width, height] = /viewBox="([^"]+)"/.exec(svg)?.[1].split(" ").map(Number) ?? [];
  if (width > 0 && height > 0) [image.width, image.height] = [Math.ceil(width), Math.ceil(height)];
  image.alt = gettext("Diagram");
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  if (old) {
    URL.revokeObjectURL(old.src);
    old.replaceWith(image);
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picture";
  button.ariaLabel = gettext("Enlarge the diagram");
  button.append(image);
  box.prepend(button);
  box.dataset.shows = "picture";
}

function explain(box) {
  if (box.querySelector(".diagram-problem, img")) return;
  const said = document.createElement("p");
  said.className = "diagram-problem";
  said.textContent = gettext("This diagram could not be drawn; its description is shown instead.");
  box.append(said);
}

/** The SVG; rejects when there is an error in the description, or no answer in time. */
async function askFrame(source) {
  opening ??= openFrame();
  const target = await opening;
  const id = (serial += 1);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      closeFrame();
      reject(new Error("no answer"));
    }, PATIENCE_MS);
    waiting.set(id, ({ svg, error }) => {
      clearTimeout(timer);
      waiting.delete(id);
      if (svg) resolve(svg);
      else reject(new Error(error));
    });
    target.postMessage({ id, source, look: look() }, "*");
  });
}

/** Out of sight, not hidden: a hidden frame has no sizes to lay a diagram out by. */
function openFrame() {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.className = "diagram-frame";
    frame.sandbox = "allow-scripts";
    frame.title = gettext("Diagram");
    frame.ariaHidden = "true";
    frame.tabIndex = -1;
    frame.addEventListener("load", () => resolve(frame.contentWindow), { once: true });
    frame.src = FRAME;
    document.body.append(frame);
  });
}

function closeFrame() {
  document.querySelector(".diagram-frame")?.remove();
  opening = null;
}

/** Our tokens as mermaid's variables, in the theme of this moment. */
function look() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const read = (token) => {
    probe.style.color = `var(${token})`;
    return style.color;
  };
  const colours = Object.fromEntries(
    Object.entries(COLOURS).map(([name, token]) => [name, toHex(read(token))]),
  );
  const fontFamily = getComputedStyle(document.body).fontFamily;
  probe.remove();
  return { ...colours, fontFamily };
}

/** mermaid computes with colours and knows neither light-dark() nor color(). */
function toHex(colour) {
  const parts = colour.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? [0, 0, 0];
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

function redraw() {
  for (const box of document.querySelectorAll(".diagram:has(img)")) visible.observe(box);
}

addEventListener("message", ({ source, data }) => {
  const frame = document.querySelector(".diagram-frame");
  if (frame && source === frame.contentWindow) waiting.get(data?.id)?.(data);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
