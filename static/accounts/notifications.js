// The switch for notifications: the browser asks the person when it is turned on, never before.
import { chooseNotifications, mayNotify, wantsNotifications } from "../js/notifications.js";

const box = document.getElementById("notifications");

function show() {
  const choice = box.querySelector("[data-notifications]");
  choice.checked = wantsNotifications();
  choice.addEventListener("change", async () => {
    choice.checked = await chooseNotifications(choice.checked && mayNotify());
    box.querySelector("[data-denied]").hidden = mayNotify();
  });
  box.hidden = false;
}

if (box && "Notification" in window) show();
