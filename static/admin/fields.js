// Fields that Django's own scripts make without a name get that of the field they stand for.

function nameSearches() {
  for (const search of document.querySelectorAll(".select2-search__field:not([aria-label])")) {
    const field = search.closest(".select2")?.parentElement.querySelector("select");
    const label = field?.getAttribute("aria-label") || field?.labels[0]?.textContent;
    if (label) search.setAttribute("aria-label", label.trim().replace(/[:：]$/, ""));
  }
}

nameSearches();
new MutationObserver(nameSearches).observe(document.body, { childList: true, subtree: true });
