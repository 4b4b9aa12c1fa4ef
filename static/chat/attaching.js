// The ways into the tray: the button, a drop anywhere in the window, a paste of files or of a text
// that is too long to be read in the message box.
import { gettext } from "../js/i18n.js";
import { chosenModel } from "./models.js";
import { chosenAgent } from "./pickers.js";

const LONG_PASTE = 4000; // characters
const picker = document.getElementById("tray-files");
const button = document.getElementById("attach");
const curtain = document.getElementById("dropping");
const box = document.getElementById("message");
const sight = JSON.parse(document.getElementById("sight")?.textContent ?? '{"models":{},"agents":{}}');
let depth = 0;
let pasted = 0;

/** Whether the model that would answer now sees images. */
export const sees = () => Boolean(sight.models[chosenModel()] ?? sight.agents[chosenAgent()]);

/** Lets files into the tray. */
export function offerAttaching(tray) {
  button.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    tray.add([...picker.files]);
    picker.value = "";
    box.focus();
  });
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    addEventListener(type, (event) => dragged(event, tray));
  }
  document.addEventListener("paste", (event) => paste(event, tray));
  // The choice of an agent or a model decides who looks at the images.
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-agent], [data-model], #chosen")) setTimeout(() => tray.warn());
  });
}

const hasFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");

function dragged(event, tray) {
  if (!hasFiles(event) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  if (event.type === "dragenter") depth += 1;
  if (event.type === "dragleave") depth -= 1;
  if (event.type === "drop") depth = 0;
  curtain.classList.toggle("on", depth > 0);
  if (event.type !== "drop") return;
  tray.add([...event.dataTransfer.files]);
  box.focus();
}

/** Whether a paste is meant for the message: into its box, or where nothing else takes it. */
const isForMessage = (target) =>
  target === box || !(target instanceof Element && target.closest("input, textarea, [contenteditable]"));

function paste(event, tray) {
  const { files, types } = event.clipboardData ?? {};
  if (!types || !isForMessage(event.target) || document.querySelector("dialog[open]")) return;
  const text = event.clipboardData.getData("text/plain");
  // Office programs put a picture of the text beside it: the text is what was meant.
  if (files.length && !text.trim()) {
    event.preventDefault();
    tray.add([...files].map(named));
    box.focus();
  } else if (event.target === box && text.length > LONG_PASTE) {
    event.preventDefault();
    pasted += 1;
    const name = gettext("Pasted text") + (pasted > 1 ? ` ${pasted}` : "");
    tray.add([new File([text], `${name}.txt`, { type: "text/plain" })], { text });
  }
}

/** A screenshot has no name of its own. */
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  pasted += 1;
  const name = gettext("Pasted image");
  return new File([file], `${name} ${pasted}.png`, { type: file.type });
}
