// Other agents in the builder: one is added by choosing it, and leaves when nothing of it is on.

/** @param {HTMLFormElement} form whose fields are told of by its own events */
export function offerHelpers(form) {
  const picker = form.querySelector("#f-helper");
  const list = form.querySelector("[data-helpers]");
  if (!picker) return;
  const rows = [...list.querySelectorAll("[data-helper]")];
  const show = () => {
    for (const row of rows) {
      const option = [...picker.options].find(({ value }) => value === row.dataset.helper);
      option.hidden = option.disabled = !row.hidden;
    }
    list.hidden = rows.every((row) => row.hidden);
    picker.disabled = rows.every((row) => !row.hidden);
  };
  picker.addEventListener("change", () => {
    const row = rows.find(({ dataset }) => dataset.helper === picker.value);
    picker.value = "";
    if (!row) return;
    row.hidden = false;
    list.append(row);
    const first = row.querySelector("input[type=checkbox]");
    first.checked = true;
    first.focus();
    first.dispatchEvent(new Event("input", { bubbles: true }));
    show();
  });
  list.addEventListener("change", ({ target }) => {
    const row = target.closest("[data-helper]");
    if (target.type !== "checkbox" || row.querySelector("input:checked")) return;
    row.hidden = true;
    show();
    picker.focus();
  });
  show();
}
