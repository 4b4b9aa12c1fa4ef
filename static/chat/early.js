// Enter and Send mean the same from the first paint on: what is pressed before the modules are there
// is kept on the form, and the composer takes it up. A classic script, so that it is there first.
{
  const keep = (form) => {
    const { value } = form.elements.text;
    if (value.trim()) form.dataset.pressed ??= value;
  };

  const isEarly = (form) => form?.id === "composer" && !("ready" in form.dataset);

  addEventListener("keydown", (event) => {
    const { form } = event.target;
    if (event.key !== "Enter" || event.shiftKey || !isEarly(form)) return;
    if (event.isComposing || event.keyCode === 229) return; // an input method chooses characters
    event.preventDefault();
    keep(form);
  });

  addEventListener("submit", ({ target }) => {
    if (isEarly(target)) keep(target);
  });
}
