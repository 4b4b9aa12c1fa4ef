// What rows of steps are made of: passages with their places, and how long something took.
import { fill, gettext } from "../js/i18n.js";
import { documentUrl } from "./citations.js";

const seconds = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });

export function passageRow(passage) {
  const row = document.getElementById("step-passage-template").content.cloneNode(true).firstElementChild;
  row.href = documentUrl(passage);
  row.querySelector("[data-n]").textContent = passage.n;
  row.querySelector("[data-title]").textContent = passage.title;
  row.querySelector("[data-where]").textContent = place(passage);
  return row;
}

/** "Leave › Notice · page 3", "charge · lines 10–24" */
export function place({ heading_path: headings, page, lines, title }) {
  const path = (headings ?? []).filter((heading) => heading && heading !== title).join(" › ");
  const number = page ? fill(gettext("page %(page)s"), { page }) : "";
  return [path, number, lines ? lineNumbers(lines) : ""].filter(Boolean).join(" · ");
}

/** Of a program's file. */
export function lineNumbers([first, last]) {
  return first === last
    ? fill(gettext("line %(n)s"), { n: first })
    : fill(gettext("lines %(first)s–%(last)s"), { first, last });
}

/** "0.4 s" */
export function duration(milliseconds) {
  return fill(gettext("%(n)s s"), { n: seconds.format(Math.max(milliseconds, 100) / 1000) });
}
