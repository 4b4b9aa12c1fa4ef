// Notifications of the system: this browser's choice, asked for by a click only, without sound.
const CHOICE = "notifications";

export const mayNotify = () => "Notification" in window && Notification.permission !== "denied";

/** Whether the person was asked, or chose in the settings. */
export const wishKnown = () => localStorage.getItem(CHOICE) !== null;

export const wantsNotifications = () =>
  localStorage.getItem(CHOICE) === "on" && mayNotify() && Notification.permission === "granted";

/** Call it from a click: the browser asks the person. Resolves to whether they are wanted now. */
export async function chooseNotifications(wanted) {
  const granted = wanted && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(CHOICE, granted ? "on" : "off");
  return granted;
}

/** Shows one for this page; a click on it leads back here. */
export async function notify(title, body) {
  const options = { body, tag: location.pathname, silent: true, data: location.pathname };
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker?.active) return worker.showNotification(title, options);
  const shown = new Notification(title, options);
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
  });
}
