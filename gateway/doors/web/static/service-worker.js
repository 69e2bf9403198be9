// Keeps the frame of the pages and the last Home, for when there is no network, and shows pushes. FILES, VERSION and ICON
// stand above.
const FRAME = `frame-${VERSION}`;
const PAGES = "pages";
const KEPT = ["/"]; // pages whose last copy is kept on this device, until somebody signs out

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const frame = await caches.open(FRAME);
    await frame.addAll([...FILES, "/offline"]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== FRAME && name !== PAGES) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function page(request) {
  const path = new URL(request.url).pathname;
  try {
    const answer = await fetch(request);
    if (path.startsWith("/sign-in")) await caches.delete(PAGES);
    if (answer.ok && !answer.redirected && KEPT.includes(path)) (await caches.open(PAGES)).put(path, answer.clone());
    return answer;
  } catch {
    return (await caches.match(path)) ?? (await caches.match("/offline"));
  }
}

// Nothing of somebody who has signed out stays on the device.
async function leave() {
  await caches.delete(PAGES);
  await self.navigator.clearAppBadge?.();
  await (await self.registration.pushManager?.getSubscription())?.unsubscribe();
}

self.addEventListener("push", (event) => {
  const { title, body, tag, lang, path, unread } = event.data.json();
  event.waitUntil(Promise.all([
    self.registration.showNotification(title, { body, tag, lang, icon: ICON, badge: ICON, data: path }),
    unread === undefined ? null : self.navigator.setAppBadge?.(unread),
  ]));
});

// A page that is open there already comes to the front; no other one is led away from what is read or written on it.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const there = new URL(event.notification.data, location.origin).href;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = pages.find((page) => page.url === there);
    return open ? open.focus() : self.clients.openWindow(there);
  })());
});

// The push service gave this browser another address: it is told to the server with the token that a page has.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil((async () => {
    const { oldSubscription: old } = event;
    const made = event.newSubscription ?? await self.registration.pushManager.subscribe(old.options);
    const csrf = /name="csrf" content="([^"]+)"/.exec(await (await fetch("/settings")).text())?.[1];
    const { endpoint, keys } = made.toJSON();
    const body = new URLSearchParams({ csrf, endpoint, ...keys, before: old?.endpoint ?? "" });
    if (csrf) await fetch("/settings/push", { method: "POST", body, redirect: "manual" });
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== location.origin) return;
  if (request.method === "POST" && new URL(request.url).pathname === "/sign-out") event.waitUntil(leave());
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith((async () => (await caches.match(request)) ?? fetch(request))());
});
