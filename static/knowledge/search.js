// The search test: its address says what was asked and where, so that a colleague sees the same.
import { copyText } from "../js/clipboard.js";

// The other page of the test is asked the same.
document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of document.querySelectorAll("[data-same-question]")) link.search = location.search;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-copy-search]")) copyText(location.href);
});
