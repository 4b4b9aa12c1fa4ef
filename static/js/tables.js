// A table of an answer as text: CSV for a spreadsheet, Markdown for everything else.
const NUMBER = /^[+-]?[\d.,\s]*\d[\d.,\s]*%?$/;
const FORMULA = /^[\s\u200b\ufeff]*[=+\-@＝＋－＠|%]|^[\t\r]/;
const MARKS = { STRONG: "**", EM: "*", S: "~~", DEL: "~~", CODE: "`" };

const rowsOf = (table) => [...table.rows].map((row) => [...row.cells]);

/** RFC 4180. What a spreadsheet would run as a formula begins with an apostrophe, and is text. */
export function toCsv(table) {
  const line = (cells) => cells.map((cell) => field(plain(cell))).join(",");
  return rowsOf(table).map(line).join("\r\n") + "\r\n";
}

function field(text) {
  const harmless = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The words of a cell: formulas as they were written, once. */
function plain(cell) {
  return read(cell, (el, inner) => el.dataset.tex ?? (el.tagName === "BR" ? "\n" : inner)).trim();
}

export function toMarkdown(table) {
  const [head, ...body] = rowsOf(table);
  const line = (cells) => `| ${cells.map(markdown).join(" | ")} |`;
  const rule = head.map(({ dataset: { align } }) =>
    ({ left: ":--", center: ":-:", right: "--:" })[align] ?? "---",
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...body.map(line)].join("\n") + "\n";
}

function markdown(cell) {
  return read(cell, mark).trim().replace(/\s+/g, " ").replace(/(?<!\\)\|/g, "\\|");
}

function mark(el, inner) {
  if (el.dataset.tex !== undefined) return `$${el.dataset.tex}$`;
  if (el.matches(".cite")) return `[${inner}]`;
  if (el.matches(".footnote")) return `[^${el.dataset.note}]`;
  if (inner === el.dataset.url) return inner;
  if (el.matches("a.away")) return `[${inner}](${el.dataset.url})`;
  if (el.matches("a")) return `[${inner}](${el.getAttribute("href")})`;
  if (el.matches("img")) return `![${el.alt}](${el.getAttribute("src")})`;
  const around = MARKS[el.tagName] ?? "";
  return around + inner + around;
}

/** Text of a node, each element's as `write(element, text inside)` has it. */
function read(node, write) {
  let text = "";
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) text += child.data;
    else if (child.nodeType === Node.ELEMENT_NODE) text += write(child, read(child, write));
  }
  return text;
}
