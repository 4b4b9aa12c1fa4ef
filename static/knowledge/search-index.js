// The page of the search index: a question before something begins, is switched or is dropped.
import "../js/sure.js";

// What is being decided on is not drawn anew under one's hands.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { activeElement } = document;
  if (document.querySelector("dialog[open]") || activeElement?.closest("#another")) {
    event.preventDefault();
  }
});
