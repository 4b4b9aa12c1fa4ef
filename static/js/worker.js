// Registers the service worker (templates/service-worker.js), once the page itself has loaded.
const isInstallable = document.querySelector('link[rel="manifest"]') !== null;
const language = document.documentElement.lang.toLowerCase();

async function register() {
  const workers = navigator.serviceWorker;
  if (isInstallable) return workers.register(`/service-worker.js?language=${language}`);
  for (const registration of await workers.getRegistrations()) await registration.unregister();
}

/** Without it everything works but the offline page, so nobody is told. */
const quietly = () => register().catch(() => {});

if (navigator.serviceWorker) {
  if (document.readyState === "complete") quietly();
  else addEventListener("load", quietly);
}
