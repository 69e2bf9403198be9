// Says which updates were on the screen for two seconds, so that they need not be sent any more.
const csrf = document.querySelector("meta[name=csrf]")?.content;
const waiting = new Map();
const fresh = new Set();
const told = new Set();
let timer;

function tell() {
  const ids = [...fresh].slice(0, 100);
  fresh.clear();
  for (const id of ids) told.add(id);
  const form = new URLSearchParams(ids.map((id) => ["id", id]));
  fetch("/seen", { method: "POST", headers: { "X-CSRF-Token": csrf }, body: form, keepalive: true });
}

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const id = target.id.slice(1);
    clearTimeout(waiting.get(id));
    if (!isIntersecting || told.has(id) || document.visibilityState !== "visible") continue;
    waiting.set(id, setTimeout(() => { fresh.add(id); clearTimeout(timer); timer = setTimeout(tell, 1000); }, 2000));
  }
}, { threshold: 0.6 });

export function watch(root = document) {
  for (const each of root.querySelectorAll('#feed > [id^="u"]')) watcher.observe(each);
}

if (csrf) watch();
