// Runs in the frame of /diagram-frame: no origin, no cookies, no network. A description comes in
// as a message, an SVG goes out; see static/js/diagrams.js for the other side.
/* global mermaid */
addEventListener("message", async ({ source, data: { id, source: text, look } }) => {
  if (source !== parent) return;
  const answer = { id };
  try {
    const { fontFamily, ...themeVariables } = look;
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      suppressErrorRendering: true,
      htmlLabels: false,
      flowchart: { htmlLabels: false },
      layout: "dagre", // elk is not in the bundle
      look: "classic",
      maxTextSize: 20_000,
      theme: "base",
      themeVariables,
      fontFamily,
    });
    answer.svg = (await mermaid.render(`diagram-${id}`, text)).svg;
  } catch (error) {
    answer.error = String(error?.message ?? error).slice(0, 500);
  }
  parent.postMessage(answer, "*");
});
