// Hears that there is something new, and says so; nothing moves under the reader. Events carry ids and counts alone: the
// page asks for the rest itself.
const at = document.querySelector("meta[name=stream]")?.content;
const news = document.querySelector("[data-news]");
const live = document.querySelector("[data-live]");
const known = new Set();
const title = document.title;
const talking = location.pathname.startsWith("/private/");
let touched = Date.now();
let silent;
for (const kind of ["pointermove", "keydown", "scroll", "touchstart"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });

function count(link, more) {
  if (!link) return;
  let badge = link.querySelector(".count");
  if (!badge) {
    badge = document.createElement("span");
    badge.className = link.getAttribute("href") === "/private" ? "count plum" : "count";
    link.append(" ", badge);
  }
  badge.textContent = Number.parseInt(badge.textContent || "0", 10) + more;
}

function show() {
  const fresh = known.size;
  if (!news || !fresh) return;
  news.hidden = false;
  news.querySelector("span").textContent = news.dataset.words.replace("0", fresh);
  document.title = `(${fresh}) ${title}`;
}

// In a private talk new words come at the end, if that is in sight.
function extend(list, fresh) {
  const end = innerHeight + scrollY > document.documentElement.scrollHeight - 200;
  list.querySelector(".empty")?.remove();
  for (const each of fresh) list.append(document.adoptNode(each));
  if (end) fresh.at(-1)?.scrollIntoView({ block: "nearest" });
}

// Puts the new updates in above, and keeps the scroll on what was being read.
async function insert() {
  const list = document.getElementById("feed");
  const before = list.firstElementChild;
  const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
  const have = new Set([...list.children].map((each) => each.id));
  const fresh = [...page.querySelectorAll("#feed > [id]")].filter((each) => !have.has(each.id));
  if (talking) { extend(list, fresh); return; }
  const height = document.documentElement.scrollHeight;
  document.querySelector(".since")?.remove();
  list.querySelector(".empty")?.remove();
  for (const each of fresh) { each.classList.add("fresh"); list.insertBefore(document.adoptNode(each), before); }
  if (before && fresh.length && news) {
    const line = document.createElement("p");
    line.className = "since";
    line.textContent = news.dataset.read;
    list.insertBefore(line, before);
  }
  if (scrollY > 0) scrollBy(0, document.documentElement.scrollHeight - height);
  known.clear();
  if (news) news.hidden = true;
  document.title = title;
}

news?.addEventListener("click", (event) => { event.preventDefault(); insert(); });

function hear(event) {
  const places = JSON.parse(event.data);
  const of = (place) => (places[place] ?? []).filter((id) => !document.getElementById(`u${id}`));
  for (const id of of("home")) known.add(id);
  count(document.querySelector('.nav a[href="/to-you"]'), of("to_you").length);
  count(document.querySelector('.nav a[href="/private"]'), of("private").length);
  if (news) show();
  const idle = Date.now() - touched > 5000 && scrollY === 0 && document.visibilityState === "visible";
  const free = !document.activeElement?.closest("textarea, input, select");
  if ((talking && of("private").length) || (news && known.size && idle && free)) insert();
}

function lost() {
  clearTimeout(silent);
  silent = setTimeout(() => {
    if (!live) return;
    live.classList.add("off");
    live.textContent = live.dataset.off.replace("0:00", new Date().toTimeString().slice(0, 5));
  }, 20_000);
}

function begin() {
  const since = document.querySelector("[data-since]")?.dataset.since ?? "";
  const stream = new EventSource(`${at}?since=${since}`, { withCredentials: true });
  stream.addEventListener("open", () => { clearTimeout(silent); if (live) { live.hidden = false; live.classList.remove("off"); live.textContent = live.dataset.on; } });
  stream.addEventListener("news", hear);
  stream.addEventListener("error", lost);
  addEventListener("pagehide", () => stream.close());
}

if (at && window.EventSource) begin();
