// Rows of tabs that scroll sideways begin with the page's own tab in sight.
for (const strip of document.querySelectorAll(".tabs, .settings-nav")) {
  const current = strip.querySelector("[aria-current]");
  if (!current || strip.scrollWidth <= strip.clientWidth) continue;
  const [row, tab] = [strip, current].map((el) => el.getBoundingClientRect());
  strip.scrollLeft += tab.left + tab.width / 2 - row.left - row.width / 2;
}
