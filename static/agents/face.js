// The picture of an agent: an emoji that is picked or typed, or an image that the server draws anew.
import { attempt } from "../js/history.js";
import { csrfToken, reason, RequestFailed, sendJson } from "../js/http.js";
import { icon } from "../js/icon.js";

const menu = document.getElementById("face-menu");
const box = document.querySelector("[data-face]");
const file = document.getElementById("face-file");
const typed = document.getElementById("f-emoji");
const signs = [...menu.querySelectorAll("[data-emoji]")];
const remove = menu.querySelector("[data-remove-picture]");

/** What the draft shows: its picture, else its emoji, else a sign. */
function show({ picture, emoji }) {
  const face = document.createElement("span");
  face.className = "face";
  face.ariaHidden = "true";
  if (picture) {
    const image = new Image(40, 40);
    image.src = `/agents/pictures/${picture}`;
    image.alt = "";
    face.append(image);
  } else face.append(emoji || icon("sparkles"));
  box.replaceChildren(face);
  remove.hidden = !picture;
  for (const sign of signs) sign.ariaPressed = String(!picture && sign.dataset.emoji === emoji);
}

export function offerFaces(api, draft) {
  draft.addEventListener("state", ({ detail }) => show(detail.draft.content));
  for (const sign of signs) {
    sign.addEventListener("click", () =>
      attempt(async () => {
        typed.value = sign.dataset.emoji;
        if (!remove.hidden) await without();
        draft.change();
        menu.hidePopover();
      }),
    );
  }
  const without = async () => {
    await draft.flush();
    draft.take(await sendJson("DELETE", `${api}/picture`));
  };
  remove.addEventListener("click", () => attempt(without));
  menu.querySelector("[data-upload]").addEventListener("click", () => file.click());
  file.addEventListener("change", () =>
    attempt(async () => {
      const [chosen] = file.files;
      file.value = "";
      if (!chosen) return;
      await draft.flush();
      const headers = { "X-CSRFToken": csrfToken() };
      const sent = await fetch(`${api}/picture`, { method: "PUT", headers, body: chosen });
      if (!sent.ok) throw new RequestFailed(sent.status, await reason(sent));
      draft.take(await sent.json());
      menu.hidePopover();
    }),
  );
}
