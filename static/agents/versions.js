// The history of an agent: an earlier version is brought back as a new one.
import { confirmAction } from "../js/dialog.js";
import { attempt } from "../js/history.js";
import { sendJson } from "../js/http.js";

for (const button of document.querySelectorAll("[data-restore]")) {
  button.addEventListener("click", () =>
    attempt(async () => {
      const { url, title, text, yes } = button.dataset;
      if (!(await confirmAction({ title, text, yes, tone: "primary" }))) return;
      await sendJson("POST", url);
      location.assign(location.pathname);
    }),
  );
}
