// An icon of the sprite, for markup that scripts make.
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name one of frontend/icons.txt */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}
