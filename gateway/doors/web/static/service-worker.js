// Keeps the frame of the pages and the last Home, for when there is no network. FILES and VERSION stand above.
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

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== location.origin) return;
  if (request.method === "POST" && new URL(request.url).pathname === "/sign-out") event.waitUntil(caches.delete(PAGES));
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith((async () => (await caches.match(request)) ?? fetch(request))());
});
