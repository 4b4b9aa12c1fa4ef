// The page that the service worker shows without a network: leaves as soon as there is one again.
const theme = localStorage.getItem("look")?.split(" ")[0];
if (theme) document.documentElement.dataset.theme = theme;
document.querySelector("[data-again]").href = location.href;
addEventListener("online", () => location.reload());
