// The form of a budget shows what belongs to its scope and its unit.

const NAMED = { user: "user", team: "team", agent: "agent_id", token: "token" };
const OF_MONEY = ["currency", "allows_unpriced", "falls_back", "fall_back_to"];
const form = document.querySelector("#budget_form");
const scope = form?.querySelector("#id_scope");
const unit = form?.querySelector("#id_unit");

function show(name, isShown) {
  const row = form.querySelector(`.form-row.field-${name}`);
  if (row) row.hidden = !isShown;
}

function arrange() {
  if (scope) {
    for (const [kind, name] of Object.entries(NAMED)) show(name, scope.value === kind);
  }
  if (unit) {
    for (const name of OF_MONEY) show(name, unit.value === "money");
    show("period", unit.value !== "storage");
  }
}

// Django's field with a search has no name of its own: that of its label is given to it.
function name() {
  for (const field of form.querySelectorAll(".select2-selection, .select2-selection__rendered")) {
    const label = field.closest(".form-row")?.querySelector("label");
    if (!label) continue;
    label.id ||= `${label.htmlFor}_label`;
    field.setAttribute("aria-labelledby", label.id);
  }
}

if (form) {
  window.django.jQuery(name); // behind Django's own, which makes these fields
  form.addEventListener("change", arrange);
  arrange();
}
