// The service worker, what a page says when there is no network, and the badge of the app: how much is new for its reader.
if ("serviceWorker" in navigator && isSecureContext) navigator.serviceWorker.register("/service-worker.js");

const note = document.querySelector("[data-offline]");

function tell() {
  if (note) note.hidden = navigator.onLine;
}

addEventListener("online", tell);
addEventListener("offline", tell);
tell();

const fresh = ["/to-you", "/private"].map((place) => Number.parseInt(document.querySelector(`.nav a[href="${place}"] .count`)?.textContent ?? "0", 10));
if (navigator.setAppBadge && document.querySelector(".nav")) navigator.setAppBadge(fresh[0] + fresh[1]).catch(() => {});
