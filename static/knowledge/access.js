// Who may see a collection: a changed role is saved at once, and what was taken away can be given
// back.
import { fill, gettext } from "../js/i18n.js";
import { toast } from "../js/toast.js";

const TARGET = { target: "#access", select: "#access", swap: "outerHTML" };

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// The form is gone by then: what was asked for is in the request alone.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { removes: taken, email, team, role } = detail.requestConfig.elt.dataset ?? {};
  if (!taken || !detail.successful) return;
  const values = email ? { email, role } : { team, role };
  toast(fill(gettext("%(who)s has no access by this any more."), { who: taken }), {
    label: gettext("Undo"),
    action: () => window.htmx.ajax("POST", location.pathname, { ...TARGET, values }),
  });
});
