// The saved prompts a person may use: asked for once, the examples when there are none.
import { sendJson } from "../js/http.js";

const PAGES = 5; // of 200; who has more finds them on the page of prompts
let loading = null;

/** All of them; a failure is tried again the next time. */
export function loadPrompts() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  const found = [];
  let cursor = null;
  for (let page = 0; page < PAGES && (page === 0 || cursor); page += 1) {
    const url = new URL("/api/v1/prompts?limit=200", location.origin);
    if (cursor) url.searchParams.set("cursor", cursor);
    const { items, next } = await sendJson("GET", url);
    found.push(...items);
    cursor = next;
  }
  if (found.length) return { prompts: found, areExamples: false };
  const examples = await sendJson("GET", "/api/v1/prompts/examples");
  return { prompts: examples.map((one) => ({ id: one.name, ...one })), areExamples: true };
}
