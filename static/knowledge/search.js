// The search test: its address says what was asked and where, so that a colleague sees the same.
import { copyText } from "../js/clipboard.js";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-copy-search]")) copyText(location.href);
});
