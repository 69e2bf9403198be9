// Pushes to this device: asks the browser when the button is pressed, never before, and says what the browser allows.
const form = document.querySelector("form[data-push]");
const says = (what) => { for (const each of document.querySelectorAll("[data-push-says]")) each.hidden = each.dataset.pushSays !== what; };
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const apple = (/iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1)) && !navigator.standalone;
const code = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return says("blocked");
  const { pushManager } = await navigator.serviceWorker.ready;
  const had = await pushManager.getSubscription();
  const { applicationServerKey: key } = had?.options ?? {};
  if (had && key && code(key) !== form.dataset.push) await had.unsubscribe(); // it was made for a key that we had before
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.push });
  for (const name of ["p256dh", "auth"]) form[name].value = code(made.getKey(name));
  form.endpoint.value = made.endpoint;
  form.submit();
}

async function show() {
  if (!able) return says(apple ? "ios" : "unsupported");
  if (Notification.permission === "denied") return says("blocked");
  const here = (await navigator.serviceWorker.getRegistration())?.pushManager.getSubscription();
  form.hidden = "pushHere" in form.dataset && Boolean(await here);
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  subscribe().catch(() => says("failed"));
});
if (form) show();
