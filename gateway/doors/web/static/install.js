// The service worker, and what a page says when there is no network.
if ("serviceWorker" in navigator && isSecureContext) navigator.serviceWorker.register("/service-worker.js");

const note = document.querySelector("[data-offline]");

function tell() {
  if (note) note.hidden = navigator.onLine;
}

addEventListener("online", tell);
addEventListener("offline", tell);
tell();
