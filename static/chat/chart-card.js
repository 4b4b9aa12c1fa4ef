// A chart that a tool described: drawn as SVG from its numbers, with the numbers as a table below.
// Loaded when the first one is shown. Whatever a model wrote becomes text, never markup.
import { fill, gettext } from "../js/i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const { lang } = document.documentElement;
const short = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 2 });
const exact = new Intl.NumberFormat(lang, { maximumFractionDigits: 6 });
const HEIGHT = 260;
const EDGE = { top: 28, right: 12, bottom: 40, left: 56 };
const LABEL_WIDTH = 76; // of one name below the axis
const LONGEST_NAME = 12;

/** The card of a chart as `draw_chart` keeps it; it draws itself anew where its width changes. */
export function chartCard(chart) {
  const figure = document.createElement("figure");
  figure.className = "chart-card";
  const caption = figure.appendChild(document.createElement("figcaption"));
  caption.textContent = chart.title;
  const place = figure.appendChild(document.createElement("div"));
  place.className = "chart-place";
  figure.append(legend(chart), table(chart));
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width || !place.clientWidth) return;
    width = place.clientWidth;
    place.replaceChildren(drawing(chart, width));
  }).observe(place);
  return figure;
}

function drawing(chart, width) {
  const name = fill(gettext("Chart: %(title)s. Its numbers are in the table below."), { title: chart.title });
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": name });
  if (chart.type === "pie") drawSlices(svg, chart, width);
  else drawAxes(svg, chart, width);
  return svg;
}

// -- Bars, lines and points -----------------------------------------------------------------------

function drawAxes(svg, chart, width) {
  const frame = frameOf(chart, width);
  drawScale(svg, frame);
  drawNames(svg, chart, frame);
  const draw = { bar: drawBars, line: drawLine, scatter: drawPoints }[chart.type];
  chart.series.forEach((one, n) => {
    const group = svg.appendChild(node("g", { class: `chart-ink-${n}` }));
    draw(group, chart, one, { ...frame, n });
  });
  if (chart.y_label) svg.append(words(chart.y_label, 4, 12, "start"));
  if (chart.x_label) svg.append(words(chart.x_label, width - EDGE.right, HEIGHT - 4, "end"));
}

/** From values to places: `x(n)` of the n-th point, `y(value)`; and the steps of both scales. */
function frameOf(chart, width) {
  const values = chart.series.flatMap((one) => one.values).filter((value) => value !== null);
  const bottom = HEIGHT - EDGE.bottom;
  const low = Math.min(...values, chart.type === "scatter" ? Infinity : 0);
  const steps = stepsOf(low, Math.max(...values, chart.type === "scatter" ? -Infinity : 0));
  const y = placing(steps, bottom, EDGE.top);
  const inner = width - EDGE.left - EDGE.right;
  if (chart.type === "scatter") {
    const across = stepsOf(Math.min(...chart.x), Math.max(...chart.x));
    const at = placing(across, EDGE.left, width - EDGE.right);
    return { y, steps, across, at, x: (n) => at(chart.x[n]), width, inner };
  }
  const slot = inner / chart.x.length;
  return { y, steps, slot, x: (n) => EDGE.left + slot * (n + 0.5), width, inner };
}

/** Round numbers from below the lowest to above the highest. */
function stepsOf(low, high) {
  if (low === high) high = low + (Math.abs(low) || 1);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const first = Math.floor(low / step);
  const count = Math.min(Math.ceil(high / step) - first, 10);
  return Array.from({ length: count + 1 }, (_, n) => (first + n) * step);
}

function placing(steps, from, to) {
  const low = steps[0];
  const span = steps.at(-1) - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function drawScale(svg, { steps, y, width }) {
  for (const step of steps) {
    svg.append(line(EDGE.left, y(step), width - EDGE.right, y(step), "chart-grid"));
    svg.append(words(short.format(step), EDGE.left - 8, y(step) + 4, "end"));
  }
}

function drawNames(svg, chart, { across, at, x, inner }) {
  const low = HEIGHT - EDGE.bottom + 18;
  if (across) {
    for (const step of across) svg.append(words(short.format(step), at(step), low, "middle"));
    return;
  }
  const every = Math.ceil(chart.x.length / Math.max(1, Math.floor(inner / LABEL_WIDTH)));
  chart.x.forEach((name, n) => {
    if (n % every === 0) svg.append(words(cut(written(name)), x(n), low, "middle"));
  });
}

function drawBars(group, chart, { name, values }, { x, y, slot, n }) {
  const room = Math.min(slot * 0.8, 64 * chart.series.length);
  const wide = room / chart.series.length;
  values.forEach((value, at) => {
    if (value === null) return;
    const [top, bottom] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
    const left = x(at) - room / 2 + wide * n;
    const box = { x: left, y: top, width: Math.max(wide - 1, 0.5), height: Math.max(bottom - top, 1), rx: 2 };
    group.append(told(node("rect", box), name, chart.x[at], value));
  });
}

function drawLine(group, chart, series, frame) {
  let path = "";
  series.values.forEach((value, at) => {
    if (value === null) return;
    const goesOn = at > 0 && series.values[at - 1] !== null;
    path += `${goesOn ? "L" : "M"}${frame.x(at)} ${frame.y(value)}`;
  });
  group.append(node("path", { d: path, class: `chart-line chart-dash-${frame.n}` }));
  drawPoints(group, chart, series, frame);
}

function drawPoints(group, chart, { name, values }, { x, y }) {
  const r = values.length > 60 ? 2 : 3.5;
  values.forEach((value, at) => {
    if (value !== null) group.append(told(node("circle", { cx: x(at), cy: y(value), r }), name, chart.x[at], value));
  });
}

// -- Slices ---------------------------------------------------------------------------------------

function drawSlices(svg, chart, width) {
  const [{ name, values }] = chart.series;
  const total = values.reduce((sum, value) => sum + (value ?? 0), 0);
  const [middle, centre, r] = [width / 2, HEIGHT / 2, HEIGHT / 2 - 12];
  let turned = 0;
  values.forEach((value, n) => {
    if (!value) return;
    const share = value / total;
    const shape = share > 0.9999 ? node("circle", { cx: middle, cy: centre, r }) : slice(middle, centre, r, turned, share);
    shape.classList.add(`chart-ink-${n % 8}`, "chart-slice");
    svg.append(told(shape, name, chart.x[n], value));
    turned += share;
  });
}

function slice(x, y, r, from, share) {
  const edge = (turn) => `${x + r * Math.sin(turn * 2 * Math.PI)} ${y - r * Math.cos(turn * 2 * Math.PI)}`;
  const isLong = share > 0.5 ? 1 : 0;
  return node("path", { d: `M${x} ${y}L${edge(from)}A${r} ${r} 0 ${isLong} 1 ${edge(from + share)}Z` });
}

// -- In words -------------------------------------------------------------------------------------

function legend(chart) {
  const isPie = chart.type === "pie";
  const names = isPie ? chart.x.map(written) : chart.series.map((one) => one.name);
  const list = document.createElement("ul");
  list.className = "chart-legend";
  list.hidden = names.length < 2;
  list.setAttribute("aria-hidden", "true"); // the table has the same names
  names.forEach((name, n) => {
    const item = list.appendChild(document.createElement("li"));
    item.className = `chart-ink-${n % 8}`;
    const label = item.appendChild(document.createElement("span"));
    label.textContent = isPie ? `${name} · ${share(chart, n)}` : name;
  });
  return list;
}

function share(chart, n) {
  const [{ values }] = chart.series;
  const total = values.reduce((sum, value) => sum + (value ?? 0), 0);
  return new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 1 }).format((values[n] ?? 0) / total);
}

function table(chart) {
  const details = document.createElement("details");
  const summary = details.appendChild(document.createElement("summary"));
  summary.textContent = gettext("Show the numbers");
  const scroll = details.appendChild(document.createElement("div"));
  scroll.className = "chart-numbers";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", chart.title);
  const rows = scroll.appendChild(document.createElement("table"));
  row(rows.createTHead(), "th", [chart.x_label, ...chart.series.map((one) => one.name)]);
  const body = rows.createTBody();
  chart.x.forEach((name, n) => {
    row(body, "td", [written(name), ...chart.series.map((one) => written(one.values[n] ?? "–"))]);
  });
  return details;
}

function row(part, kind, cells) {
  const line = part.insertRow();
  for (const text of cells) line.appendChild(document.createElement(kind)).textContent = text;
}

const written = (value) => (typeof value === "number" ? exact.format(value) : value);
const cut = (text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text);

/** With what it stands for, for whoever points at it. */
function told(shape, name, at, value) {
  shape.appendChild(node("title")).textContent = `${name} · ${written(at)}: ${exact.format(value)}`;
  return shape;
}

const line = (x1, y1, x2, y2, name) => node("line", { x1, y1, x2, y2, class: name });

function words(text, x, y, anchor) {
  const found = node("text", { x, y, "text-anchor": anchor });
  found.textContent = text;
  return found;
}

function node(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
