// What changed of an update that stands on the page: its counts, its receipt, whether it was taken back. Nothing changes
// its height or its place, and what the pointer or the focus is on is never replaced.
const PARTS = [".below > .receipt", ".act.reply", ".act.repeat", ".act.like", ".facts", ".under"];
const wanted = new Set();
let timer;

const articles = (id) => document.querySelectorAll(`#u${id}, article[data-at="/updates/${id}"]`);

function take(old, fresh) {
  old.classList.toggle("pending", fresh.classList.contains("pending"));
  for (const part of PARTS) {
    const was = old.querySelector(part);
    const is = fresh.querySelector(part);
    if (was && is && !was.matches(":hover, :focus-within")) was.replaceWith(document.adoptNode(is));
  }
}

function takenBack(old) {
  old.classList.add("gone");
  old.querySelector(".below")?.remove();
  const words = old.querySelector(".words");
  if (words) words.textContent = document.body.dataset.gone.replace("NAME", old.querySelector(".name").textContent);
}

async function ask() {
  const ids = [...wanted].slice(0, 100);
  wanted.clear();
  const talk = document.querySelector("[data-talk]");
  const path = talk ? location.href : `/updates/now?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
  const answer = await fetch(path);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const old = document.getElementById(`u${id}`);
    const fresh = page.getElementById(`u${id}`);
    if (old && fresh) take(old, fresh);
    else if (old && !talk) takenBack(old);
  }
}

export function hearChanges(ids = []) {
  for (const id of ids) for (const each of articles(id)) wanted.add(each.id.slice(1));
  if (!wanted.size) return;
  clearTimeout(timer);
  timer = setTimeout(ask, 500);
}
