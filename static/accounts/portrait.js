// A chosen picture is sent at once.
document.getElementById("portrait-form").addEventListener("change", (event) => {
  if (event.target.files?.length) event.currentTarget.requestSubmit();
});
