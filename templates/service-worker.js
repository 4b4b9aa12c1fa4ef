// Made for each release by config.installable. It answers two things only: a page that cannot be
// fetched (with the offline page) and the files of that page. Nothing of a person is ever kept.
const app = {{ app|safe }};

addEventListener("install", (event) => event.waitUntil(app.isOff ? skipWaiting() : install()));
addEventListener("activate", (event) => event.waitUntil(app.isOff ? leave() : activate()));

async function install() {
  const fresh = { cache: "reload", credentials: "omit" };
  const cache = await caches.open(app.cache);
  await cache.addAll([app.offline, ...app.files].map((url) => new Request(url, fresh)));
  await skipWaiting(); // safe: its files are named by their content
}

async function activate() {
  await forget((name) => name !== app.cache);
  await registration.navigationPreload?.enable();
  await clients.claim();
}

/** An operator has switched the worker off: nothing of it stays. */
async function leave() {
  await forget(() => true);
  await registration.unregister();
}

async function forget(isOld) {
  const names = (await caches.keys()).filter((name) => name.startsWith("parley-") && isOld(name));
  await Promise.all(names.map((name) => caches.delete(name)));
}

addEventListener("fetch", (event) => {
  if (app.isOff || event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(page(event));
  else if (app.files.includes(new URL(event.request.url).pathname)) event.respondWith(file(event));
});

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(app.offline)) ?? Response.error();
  }
}

async function file({ request }) {
  return (await caches.match(request)) ?? fetch(request);
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});

/** The tab that has the conversation, or a new one. */
async function show(path) {
  const open = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = open.find(({ url }) => new URL(url).pathname === path);
  return tab ? tab.focus() : clients.openWindow(path);
}
