// What is new on a list or in a talk. It only raises a number in the head: the reader asks for it, and what they were
// reading stays where it was. At the very top, with nothing touched for five seconds, it comes in by itself.
import { watch } from "./seen.js";

const news = document.querySelector("[data-news]");
const list = document.getElementById("feed");
const talk = document.querySelector("[data-talk]");
const said = document.querySelector("[data-said]");
const title = document.title;
const known = new Set();
let state = "new"; // then "above" (they are in, further up), then "back" (from the top to where one was)
let place = 0;
let touched = Date.now();
let saidAt = 0;
for (const kind of ["pointermove", "keydown", "scroll", "touchstart"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });

function count(where, more) {
  const link = document.querySelector(`.nav [data-place="${where}"]`);
  if (!link || !more) return;
  let badge = link.querySelector(".count");
  if (!badge) {
    badge = document.createElement("span");
    badge.className = where === "private" ? "count plum" : "count";
    link.append(" ", badge);
  }
  const number = Number.parseInt(badge.textContent || "0", 10) + more;
  if (number > 0) badge.textContent = number;
  else badge.remove();
}

function tell(words, next) {
  state = next;
  if (!news) return;
  news.hidden = !words;
  news.querySelector("span").textContent = words;
}

function show() {
  const words = news.dataset.words.replace("0", known.size);
  tell(words, "new");
  document.title = `(${known.size}) ${title}`;
  if (Date.now() - saidAt < 30_000) return;
  saidAt = Date.now();
  said.textContent = words;
}

async function load() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  return [...page.querySelectorAll("#feed > [id]")].filter((each) => !document.getElementById(each.id));
}

function line(before) {
  const mark = document.createElement("p");
  mark.className = "since";
  mark.textContent = news.dataset.read;
  document.querySelector(".since")?.remove();
  list.insertBefore(mark, before);
}

// `stays`: the scroll stays on what was being read, measured before and after.
async function insert(stays) {
  if (location.search.includes("before=")) { location.assign(news.href); return; }
  const fresh = await load();
  const before = list.querySelector(":scope > [id]");
  const was = before?.getBoundingClientRect().top;
  document.documentElement.style.overflowAnchor = "none";
  list.querySelector(".empty")?.remove();
  for (const each of fresh) { each.classList.add("fresh"); list.insertBefore(document.adoptNode(each), before); }
  if (before && fresh.length) line(before);
  if (before && stays) scrollBy({ top: before.getBoundingClientRect().top - was, behavior: "instant" });
  requestAnimationFrame(() => { document.documentElement.style.overflowAnchor = ""; });
  known.clear();
  watch();
  document.title = title;
  if (stays && fresh.length && scrollY > 0) tell(news.dataset.top, "above");
  else tell("", "new");
}

function toTop() {
  place = scrollY;
  scrollTo({ top: 0, behavior: "instant" });
  tell(news.dataset.return, "back");
}

function takeBack() {
  scrollTo({ top: place, behavior: "instant" });
  tell("", "new");
}

// In a private talk new words come at the end: in sight if the end is, else above where one writes.
async function extend() {
  const fresh = await load();
  if (!fresh.length) return;
  const below = document.querySelector("[data-below]");
  const end = list.getBoundingClientRect().bottom <= innerHeight;
  list.querySelector(".empty")?.remove();
  for (const each of fresh) list.append(document.adoptNode(each));
  count("private", -fresh.length);
  if (end) { fresh.at(-1).scrollIntoView({ block: "nearest", behavior: "instant" }); return; }
  below.dataset.number = Number(below.dataset.number ?? 0) + fresh.length;
  below.textContent = below.dataset.words.replace("0", below.dataset.number);
  below.hidden = false;
}

export function hearNews(places) {
  const of = (where) => (places[where] ?? []).filter((id) => !document.getElementById(`u${id}`));
  const here = news?.dataset.news;
  for (const where of Object.keys(places)) if (where !== here) count(where, of(where).length);
  if (talk && of("private").length) extend();
  if (!here) return;
  const fresh = of(here).filter((id) => !known.has(id));
  for (const id of fresh) known.add(id);
  if (fresh.length) show();
}

// Where there is no stream.
export async function askForNews() {
  if (talk) { await extend(); return; }
  if (!news || location.search.includes("before=")) return;
  for (const each of await load()) known.add(each.id.slice(1));
  if (known.size) show();
}

news?.addEventListener("click", (event) => {
  event.preventDefault();
  if (state === "above") toTop();
  else if (state === "back") takeBack();
  else insert(true);
});
document.querySelector("[data-below]")?.addEventListener("click", (event) => {
  event.preventDefault();
  list.lastElementChild.scrollIntoView({ block: "end" });
  event.target.hidden = true;
  delete event.target.dataset.number;
});
setInterval(() => {
  const idle = Date.now() - touched > 5000 && scrollY === 0 && document.visibilityState === "visible";
  if (known.size && idle && !document.activeElement?.closest("textarea, input, select")) insert(false);
}, 1000);
