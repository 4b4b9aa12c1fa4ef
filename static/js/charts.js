// Charts of days, from the figures that stand beside them as JSON.
import uPlot from "../vendor/uplot.js";

const language = document.documentElement.lang || "en";
const dayName = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const HEIGHT = 190;

function bytes(value) {
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1);
  const style = { style: "unit", unit: UNITS[power], maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, style).format(value / 1000 ** power);
}

const FORMATS = {
  count: { short: (value) => compact.format(value), long: (value) => exact.format(value) },
  ms: { short: (value) => `${compact.format(value)} ms`, long: (value) => `${exact.format(value)} ms` },
  bytes: { short: bytes, long: bytes },
  percent: { short: (value) => `${exact.format(value)} %`, long: (value) => `${compact.format(value)} %` },
};

/** Sums of money: as many digits as small ones need, the currency where there is room. */
function money(currency) {
  const write = (value) =>
    new Intl.NumberFormat(language, value < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 }).format(value);
  return { short: write, long: (value) => `${write(value)} ${currency}` };
}

const formatOf = (chart) => (chart.unit === "money" ? money(chart.currency) : FORMATS[chart.unit]);

/** The colour that a class of the style sheet gives: a canvas knows no custom properties. */
function colour(place, name) {
  const probe = document.createElement("i");
  probe.className = name;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Each series on top of those before it; the last is the highest. */
function stacked(series) {
  const sums = series[0].values.map(() => 0);
  return series.map(({ values }) => values.map((value, day) => (sums[day] += value ?? 0)));
}

/** Days whose neighbours say nothing: a line that goes nowhere is a point. */
function lonely(values) {
  const isThere = (day) => values[day] != null;
  return [...values.keys()].filter((day) => isThere(day) && !isThere(day - 1) && !isThere(day + 1));
}

function seriesOf(chart, place) {
  const format = formatOf(chart).long;
  const bars = uPlot.paths.bars({ size: [0.7, 40], radius: 0.15 });
  return chart.series.map(({ label, values }, n) => {
    const ink = colour(place, `ink-${n}`);
    const points = { filter: (_plot, _series, areAllShown) => (areAllShown ? null : lonely(values)) };
    const drawn = chart.kind === "bars" ? { paths: bars, fill: ink, points: { show: false } } : { points };
    return {
      label,
      stroke: ink,
      width: chart.kind === "bars" ? 0 : 2,
      value: (_plot, _raw, _series, day) => (values[day] == null ? "–" : format(values[day])),
      ...drawn,
    };
  });
}

function options(chart, place) {
  const days = chart.days.map((day) => dayName.format(new Date(`${day}T00:00Z`)));
  const axis = { stroke: colour(place, "ink-axis"), font: "12px Inter, system-ui, sans-serif" };
  const line = { stroke: colour(place, "ink-line"), width: 1 };
  const series = seriesOf(chart, place);
  if (chart.kind === "bars") series.reverse(); // the highest behind the others
  return {
    width: place.clientWidth,
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false }, points: { show: chart.kind === "lines" } },
    scales: {
      x: { time: false, range: [-0.6, days.length - 0.4] },
      y: { range: (_plot, _low, high) => [0, (high || 1) * 1.08] },
    },
    axes: [
      { ...axis, grid: { show: false }, ticks: { show: false }, space: 56, gap: 12, size: 42, // clear of the 0 beside it
        incrs: [1, 2, 7, 14, 30], values: (_plot, at) => at.map((day) => days[day] ?? "") },
      { ...axis, grid: line, ticks: { show: false }, size: 64, space: 36,
        incrs: chart.unit === "count" ? [1, 2, 5].flatMap((n) => [...Array(12).keys()].map((e) => n * 10 ** e)).sort((a, b) => a - b) : undefined,
        values: (_plot, at) => at.map(formatOf(chart).short) },
    ],
    series: [{ label: "", value: (_plot, _raw, _series, day) => days[day ?? days.length - 1] }, ...series],
  };
}

function dataOf(chart) {
  const at = chart.days.map((_day, n) => n);
  if (chart.kind !== "bars") return [at, ...chart.series.map(({ values }) => values)];
  return [at, ...stacked(chart.series).reverse()];
}

function draw(place) {
  const chart = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  let plot = null;
  const redraw = () => {
    plot?.destroy();
    plot = new uPlot(options(chart, place), dataOf(chart), place);
    rest();
  };
  // The legend begins with today.
  const rest = () => plot.setCursor({ left: plot.valToPos(chart.days.length - 1, "x"), top: 0 });
  redraw();
  new ResizeObserver(() => {
    if (plot.width === place.clientWidth) return;
    plot.setSize({ width: place.clientWidth, height: HEIGHT });
    rest();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

document.querySelectorAll("[data-chart]").forEach(draw);
