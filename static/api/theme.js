// Swagger UI is dark by a class on <html>; the rest of Parley by `data-theme`. Before the first paint.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const { theme } = root.dataset;
  root.classList.toggle("dark-mode", theme === "dark" || (theme === "system" && system.matches));
}

system.addEventListener("change", follow);
follow();
