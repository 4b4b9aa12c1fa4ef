// Requests to our own server: session cookie, CSRF token, problem+json errors as text.
import { gettext } from "./i18n.js";

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;

export class RequestFailed extends Error {
  /** @param {number} status 0 when there was no answer at all */
  constructor(status, message, response) {
    super(message);
    this.status = status;
    this.response = response; // its body can be read once
  }
}

/** Sends JSON; answers the decoded body, or null when there is none. Throws RequestFailed. */
export async function sendJson(method, url, body, { signal } = {}) {
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await request(url, { method, headers, signal, body: JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/** Asks for JSON; throws RequestFailed. */
export async function fetchJson(url) {
  const response = await request(url, { headers: { Accept: "application/json" } });
  return response.json();
}

/** The children of the <body> of a server-rendered fragment, ready to be put into the page. */
export async function fetchFragment(url, { method = "GET", body } = {}) {
  const headers = { "HX-Request": "true", "X-CSRFToken": csrfToken() };
  const response = await request(url, { method, body, headers });
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...parsed.body.childNodes);
  return document.importNode(fragment, true);
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch {
    throw new RequestFailed(0, gettext("The server cannot be reached."));
  }
  if (response.redirected && new URL(response.url).pathname.startsWith("/accounts/")) {
    throw new RequestFailed(401, gettext("You have been signed out. Reload the page to sign in."));
  }
  if (!response.ok) throw new RequestFailed(response.status, await reason(response.clone()), response);
  return response;
}

/** What a refusal says, in words for a person. */
export async function reason(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    const problem = await response.json();
    if (typeof problem.detail === "string" || problem.title) return problem.detail || problem.title;
  }
  return gettext("The server refused this.");
}
