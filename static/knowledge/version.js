// A past version: the first quoted stretch comes into view.
document.querySelector("#reading mark")?.scrollIntoView({ block: "center" });
