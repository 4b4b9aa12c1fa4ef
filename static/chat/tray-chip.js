// One file in the tray as it looks: name, picture, state, and what can be done about it.
import { fill, gettext } from "../js/i18n.js";
import { attachmentUrl } from "./uploading.js";

/** Gives the item its `row`, and `part(name)` of it. @param acts what its buttons do */
export function drawChip(item, acts) {
  const row = document.getElementById("tray-template").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`[data-${name}]`);
  Object.assign(item, { row, part });
  part("label").textContent = item.name;
  part("remove").setAttribute("aria-label", fill(gettext("Remove %(name)s"), { name: item.name }));
  part("inline").hidden = item.text === undefined;
  for (const [name, act] of Object.entries(acts)) part(name).addEventListener("click", act);
  if (item.isImage) drawPicture(item);
}

export function tellChip(item, state, text) {
  item.state = state;
  item.row.dataset.state = state;
  item.part("text").textContent = text;
  if (state !== "failed") item.part("again").hidden = true;
}

export function removeChip({ row, local }) {
  row.remove();
  if (local) URL.revokeObjectURL(local);
}

function drawPicture(item) {
  const image = document.createElement("img");
  image.alt = "";
  item.local = item.file && URL.createObjectURL(item.file);
  image.src = item.local ?? attachmentUrl(item.id, "/image?size=small");
  image.addEventListener("error", () => image.remove()); // not drawn yet, or no image after all
  item.part("face").replaceChildren(image);
}
