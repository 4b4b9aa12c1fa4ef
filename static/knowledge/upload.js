// Uploads: files from the button or dropped anywhere on the page, two at a time, each with its
// progress, a way to cancel, and a reason in words when it cannot be taken.
import { csrfToken } from "../js/http.js";
import { fill, gettext } from "../js/i18n.js";

const AT_ONCE = 2;
const area = document.getElementById("uploads");
const picker = document.getElementById("files");
const queue = document.getElementById("queue");
const curtain = document.getElementById("dropping");
const waiting = [];
let running = 0;
let depth = 0;

const megabytes = (size) => (size / 1048576).toLocaleString(undefined, { maximumFractionDigits: 1 });

/** Why the file cannot be taken, before anything is sent; empty when it can. */
function refusal(file) {
  const { maxMegabytes, endings, endingsShown } = area.dataset;
  const ending = /\.[^.]+$/.exec(file.name.toLowerCase())?.[0] ?? "";
  if (!endings.split(",").includes(ending)) {
    const text = gettext("This type of file cannot be read. Choose one of %(endings)s.");
    return fill(text, { endings: endingsShown });
  }
  if (file.size === 0) return gettext("This file is empty.");
  if (file.size > maxMegabytes * 1048576) {
    const text = gettext("This file has %(size)s MB; at most %(max)s MB can be uploaded.");
    return fill(text, { size: megabytes(file.size), max: maxMegabytes });
  }
  return "";
}

function show(item, state, text) {
  item.row.dataset.state = state;
  item.row.querySelector("[data-text]").textContent = text;
  item.row.querySelector("[data-again]").hidden = state !== "failed" || !item.canRetry;
}

function add(file) {
  const row = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  const item = { file, row, request: null, canRetry: true };
  row.querySelector("[data-name]").textContent = file.name;
  row.querySelector("[data-cancel]").addEventListener("click", () => drop(item));
  row.querySelector("[data-again]").addEventListener("click", () => enqueue(item));
  queue.append(row);
  queue.hidden = false;
  const reason = refusal(file);
  if (!reason) return enqueue(item);
  item.canRetry = false;
  return show(item, "failed", reason);
}

function enqueue(item) {
  item.row.querySelector("[data-bar]").value = 0;
  show(item, "waiting", gettext("Waiting"));
  waiting.push(item);
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) send(waiting.shift());
}

function send(item) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", item.file);
  item.request = request;
  running += 1;
  request.upload.addEventListener("progress", (event) => progressed(item, event));
  request.addEventListener("loadend", () => {
    running -= 1;
    item.request = null;
    settle(item, request);
    next();
  });
  request.open("POST", area.dataset.url);
  request.responseType = "json";
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.send(form);
}

function progressed(item, { loaded, total }) {
  item.row.querySelector("[data-bar]").value = (100 * loaded) / total;
  const text = gettext("%(done)s of %(total)s MB");
  const values = { done: megabytes(loaded), total: megabytes(total) };
  show(item, "sending", loaded < total ? fill(text, values) : gettext("Checking"));
}

function settle(item, request) {
  if (!item.row.isConnected) return;
  const answer = request.response;
  if (request.status === 202 && answer) {
    document.body.dispatchEvent(new CustomEvent("documents-changed", { bubbles: true }));
    if (answer.is_new) return drop(item);
    return show(item, "same", gettext("This file is in the collection already."));
  }
  item.canRetry = request.status !== 422;
  return show(item, "failed", answer?.detail ?? failure(request.status));
}

function failure(status) {
  if (status === 0) return gettext("The connection broke. Try again.");
  if (status === 413) return gettext("The server does not take files of this size.");
  if (status === 403 || status === 404) return gettext("You may not add documents here. Reload the page.");
  return gettext("The server could not take this file. Try again.");
}

function drop(item) {
  const place = waiting.indexOf(item);
  if (place >= 0) waiting.splice(place, 1);
  item.row.remove();
  item.request?.abort();
  queue.hidden = !queue.children.length;
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function dragged(event) {
  if (!hasFiles(event)) return;
  event.preventDefault();
  if (event.type === "dragenter") depth += 1;
  if (event.type === "dragleave") depth -= 1;
  if (event.type === "drop") depth = 0;
  curtain.classList.toggle("on", depth > 0);
  if (event.type === "drop") [...event.dataTransfer.files].forEach(add);
}

if (area) {
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    addEventListener(type, dragged);
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-choose-files]")) picker.click();
  });
  picker.addEventListener("change", () => {
    [...picker.files].forEach(add);
    picker.value = "";
  });
  addEventListener("beforeunload", (event) => {
    if (running || waiting.length) event.preventDefault();
  });
}
