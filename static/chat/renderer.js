// What draws Markdown is a third of the page's code and nobody needs it before the first answer: a
// new chat loads it when a question is being written.
let loaded = null;
let loading = null;

/** The renderer, or null as long as it is on its way. */
export const renderer = () => loaded;

/** @returns {Promise<{MarkdownStream: Function, enhance: Function, drawFormulas: Function}>} */
export function loadRenderer() {
  loading ??= load().catch((error) => {
    loading = null; // the next word of the answer tries again
    throw error;
  });
  return loading;
}

async function load() {
  const parts = await Promise.all([
    import("../js/md-stream.js"),
    import("../js/enhance.js"),
    import("../js/formulas.js"),
  ]);
  loaded = Object.assign({}, ...parts);
  return loaded;
}
