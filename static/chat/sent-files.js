// Files under a question in the thread: chips and pictures, how each was used for the answer, a
// picture in full.
import { fill, gettext } from "../js/i18n.js";
import { attachmentUrl, sizeOf } from "./uploading.js";

const dialog = document.getElementById("picture-dialog");
const USES = {
  whole: () => gettext("Read whole"),
  searched: () => gettext("Searched"),
  seen: () => gettext("Seen"),
  unseen: () => gettext("Not seen"),
  unread: () => gettext("Not read"),
};

/** Shows files under a question that is being sent. */
export function showFiles(question, files) {
  const list = question.querySelector("[data-files]");
  list.hidden = !files.length;
  list.replaceChildren(...files.map(chip));
}

/** The files of a question on the page, as the tray gives them. */
export const filesOf = (question) =>
  [...question.querySelectorAll("[data-attachment]")].map(({ dataset }) => ({
    id: dataset.attachment,
    name: dataset.name,
    size: Number(dataset.size),
    isImage: dataset.kind === "image",
  }));

function chip({ id, name, size, isImage }) {
  const template = document.getElementById(`sent-${isImage ? "picture" : "document"}-template`);
  const item = template.content.firstElementChild.cloneNode(true);
  Object.assign(item.dataset, { attachment: id, name, size, kind: isImage ? "image" : "document" });
  if (isImage) {
    const label = fill(gettext("Image %(name)s"), { name });
    item.querySelector("button").setAttribute("aria-label", label);
    load(item.querySelector("img"), id);
  } else {
    item.querySelector("a").href = `/knowledge/documents/${id}/`;
    item.querySelector("[data-label]").textContent = name;
    item.querySelector("[data-measure]").textContent = sizeOf(size);
  }
  return item;
}

const TRIES = 8;
const AGAIN_MS = 1000;

/** A picture that the server is still drawing comes a moment later. */
async function load(image, id) {
  const url = attachmentUrl(id, "/image?size=small");
  for (let n = 0; n < TRIES; n += 1) {
    const found = await fetch(attachmentUrl(id)).then((response) => response.json(), () => null);
    if (found?.status === "ready") return void (image.src = url);
    if (found?.status === "failed") return;
    await new Promise((resume) => setTimeout(resume, AGAIN_MS));
  }
}

/** Marks the files of the conversation with what became of them in an answer. */
function markUses({ target, detail }) {
  const question = target.closest(".answer")?.dataset.question;
  for (const { document_id: id, how, reason } of detail.attachments) {
    const own = document.querySelector(`[data-message="${question}"] [data-attachment="${id}"] [data-use]`);
    const places = own ? [own] : document.querySelectorAll(`[data-attachment="${id}"] [data-use]:empty`);
    for (const place of places) {
      place.dataset.how = how;
      place.textContent = USES[how]?.() ?? "";
      place.title = reason;
    }
  }
}

/** The image in full, in the dialog that pictures of answers open in (`reading.js`). */
function open({ dataset: { attachment, name } }) {
  const image = document.createElement("img");
  image.src = attachmentUrl(attachment, "/image");
  image.alt = name;
  const stage = dialog.querySelector("[data-picture]");
  dialog.querySelector("[data-title]").textContent = name;
  dialog.removeAttribute("data-vector");
  dialog.removeAttribute("data-actual");
  dialog.querySelector("[data-actual-size]").setAttribute("aria-pressed", "false");
  stage.replaceChildren(image);
  dialog.showModal();
  stage.focus();
}

document.addEventListener("attachments-read", markUses);
document.addEventListener("click", ({ target }) => {
  const picture = target.closest("[data-show-picture]");
  if (picture) open(picture.closest("[data-attachment]"));
});
