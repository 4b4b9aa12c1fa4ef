// The list of agents: a new one, and one from a file, with what of it there is none of here.
import { promptText } from "../js/dialog.js";
import { attempt } from "../js/history.js";
import { RequestFailed, sendJson } from "../js/http.js";
import { gettext } from "../js/i18n.js";

const API = "/api/v1/agents";
const page = document.getElementById("agents");
const file = document.getElementById("agent-file");
const dialog = document.getElementById("import-dialog");
const open = (id) => location.assign(`${page.dataset.builder}${id}/`);

async function make() {
  const name = await promptText({ title: gettext("What should the agent be called?"), value: "" });
  if (name) open((await sendJson("POST", API, { name: name.slice(0, 80) })).id);
}

/** Says what would be made, and makes it when the person agrees. */
async function bring() {
  const [chosen] = file.files;
  file.value = ""; // the same file may be chosen again
  const said = parsed(await chosen.text());
  const preview = await sendJson("POST", `${API}/import`, { file: said, preview: true });
  dialog.querySelector("[data-name]").textContent = preview.name;
  dialog.querySelector("[data-whole]").hidden = preview.unmatched.length > 0;
  dialog.querySelector("[data-partly]").hidden = preview.unmatched.length === 0;
  dialog.querySelector("[data-unmatched]").replaceChildren(
    ...preview.unmatched.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return;
      attempt(async () => open((await sendJson("POST", `${API}/import`, { file: said })).id));
    },
    { once: true },
  );
}

function parsed(text) {
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw new RequestFailed(422, gettext("This file is not JSON."));
  }
  if (said?.format !== "parley-agent") {
    throw new RequestFailed(422, gettext("This file holds no agent. Choose one that was exported from Parley."));
  }
  if (said.version !== 1) {
    throw new RequestFailed(422, gettext("This file was made by a newer Parley, which says more than this one understands."));
  }
  return said;
}

document.querySelector("[data-new]")?.addEventListener("click", () => attempt(make));
document.querySelector("[data-import]")?.addEventListener("click", () => file.click());
file.addEventListener("change", () => file.files.length && attempt(bring));
