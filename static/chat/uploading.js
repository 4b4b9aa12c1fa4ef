// One file on its way to the server, and until the server has read it.
import { csrfToken } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";

const API = "/api/v1/attachments";
const LOOK_MS = 700;
const box = document.getElementById("tray-box");

export const attachmentUrl = (id, rest = "") => `${API}/${id}${rest}`;

/** "1.4 MB", in the language of the page. */
export function sizeOf(bytes) {
  const units = ["byte", "kilobyte", "megabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
  const options = {
    style: "unit",
    unit: units[step],
    unitDisplay: step ? "short" : "long",
    maximumFractionDigits: step > 1 ? 1 : 0,
  };
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / 1024 ** step);
}

/** Why the file cannot be taken, before anything is sent; empty when it can. */
export function refusal(file) {
  const { maxMegabytes, endings } = box.dataset;
  const ending = /\.[^.]+$/.exec(file.name.toLowerCase())?.[0] ?? "";
  if (ending && !endings.split(",").includes(ending)) {
    return gettext("This type of file cannot be attached.");
  }
  if (!file.size) return gettext("This file is empty.");
  if (file.size > maxMegabytes * 1048576) {
    const text = gettext("Too large: %(size)s, at most %(max)s MB can be attached.");
    return fill(text, { size: sizeOf(file.size), max: maxMegabytes });
  }
  return "";
}

/** Sends a file. `progress(percent)`; `ended(attachment, reason, canRetry)`. Call the result to stop. */
export function upload(file, { progress, ended }) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file, file.name);
  request.upload.addEventListener("progress", ({ loaded, total }) => progress((100 * loaded) / total));
  request.addEventListener("load", () => {
    const { status, response } = request;
    if (status === 202) ended(response);
    else ended(null, response?.detail ?? problem(status), ![413, 415, 422].includes(status));
  });
  request.addEventListener("error", () => ended(null, problem(0), true));
  request.open("POST", API);
  request.responseType = "json";
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.send(form);
  return () => request.abort();
}

function problem(status) {
  if (status === 0) return gettext("The connection broke. Try again.");
  if (status === 413) return gettext("The server does not take files of this size.");
  return gettext("The server could not take this file. Try again.");
}

/** The attachment as the server knows it; null when it is gone. Throws when it cannot be asked. */
export async function look(id) {
  const response = await fetch(attachmentUrl(id), { headers: { Accept: "application/json" } });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

/** Calls `changed(attachment)` whenever its state is another, until it is read, or not wanted. */
export async function follow(attachment, changed, isWanted) {
  let known = attachment.status;
  while (["queued", "running"].includes(known)) {
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
    if (!isWanted()) return;
    const found = await look(attachment.id).catch(() => undefined);
    if (found === undefined) continue; // the server is away: ask again
    if (!isWanted()) return;
    known = found?.status ?? "failed";
    changed(found ?? { ...attachment, status: "failed", reason: gettext("This file is gone.") });
  }
}

/** Takes away what was uploaded and not sent. */
export function discard(id) {
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" };
  fetch(attachmentUrl(id), { method: "DELETE", headers, keepalive: true }).catch(() => {}); // swept
}
