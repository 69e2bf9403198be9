// The kill: draws how far the 1,000 texts are, and what was done to the worker meanwhile.

import { get, post } from "./asking.js";
import { byId, make, pause } from "./dom.js";

const gauge = byId("gauge");
const count = byId("drill-count");
const start = byId("drill-start");
const lines = byId("drill-log");
const told = new Set();

// As before the first run; one that is still going on is left to be drawn.
export function reset() {
  if (start.disabled) return;
  told.clear();
  lines.replaceChildren();
  count.textContent = "";
  count.className = "count";
  gauge.setAttribute("aria-valuenow", 0);
  for (const part of gauge.children) part.removeAttribute("style");
  gauge.querySelector(".cut").hidden = true;
}

// Resolves once it has begun; how it goes is drawn from then on.
export async function run(typed) {
  if (start.disabled) return;
  start.disabled = true;
  told.clear();
  lines.replaceChildren();
  count.className = "count";
  gauge.querySelector(".cut").hidden = true;
  draw({ phase: "loading", total: 1000, sent: 0, doubt: 0 });
  try {
    const before = await get("/tour/drill");
    if (["idle", "done", "failed"].includes(before.phase)) {
      await typed(before.by, before.says);
      draw(await post("/tour/drill"));
    }
    follow();
  } catch (error) {
    failed(error.message);
    start.disabled = false;
  }
}

// A page that is opened in the middle of it joins in.
export async function join() {
  const now = await get("/tour/drill");
  if (["idle", "done", "failed"].includes(now.phase)) return false;
  start.disabled = true;
  follow();
  return true;
}

function follow() {
  watch().catch((error) => failed(error.message)).finally(() => (start.disabled = false));
}

async function watch() {
  for (;;) {
    const now = await get("/tour/drill");
    draw(now);
    if (now.phase === "done" || now.phase === "failed") return;
    await pause(150);
  }
}

function draw(now) {
  const waiting = now.total - now.sent - now.doubt;
  gauge.setAttribute("aria-valuenow", now.sent);
  gauge.querySelector(".gone").style.width = `${(100 * now.sent) / now.total}%`;
  gauge.querySelector(".doubt").style.width = `${(100 * now.doubt) / now.total}%`;
  if (now.phase === "loading") return void (count.textContent = "Getting 1,000 pretend phones ready …");
  if (now.phase === "failed") return failed(now.trouble);
  count.textContent = `${now.sent.toLocaleString("en")} sent` + (now.doubt ? ` · ${now.doubt} on the way` : "") + (waiting ? ` · ${waiting} waiting` : "") + ` · ${Math.round(now.seconds)} s`;
  if (now.pid) killed(now);
  if (now.successor) say("successor", `Critter started another one (process ${now.successor}) by itself.`);
  if (now.successor && now.sent < now.total && now.seconds > 3) {
    say("doubt", "What was on the way is in doubt: the carrier's list says what arrived, and only the rest goes again.");
  }
  if (now.phase === "done") verdict(now);
}

function killed(now) {
  const cut = gauge.querySelector(".cut");
  cut.hidden = false;
  cut.style.left = `${(100 * now.killed_at) / now.total}%`;
  say("killed", `The program that sends (process ${now.pid}) was killed after ${now.killed_at} texts.`);
}

function verdict(now) {
  const good = now.lost === 0 && now.twice === 0;
  const number = (n) => n.toLocaleString("en");
  count.textContent = `${number(now.arrived)} of ${number(now.total)}, ${number(now.lost)} lost, ${number(now.twice)} twice`;
  count.classList.add(good ? "good" : "bad");
  say("verdict", `Counted in the carrier's own list. ${Math.round(now.seconds)} s in all.`);
}

function failed(line) {
  count.textContent = line;
  count.classList.add("bad");
}

function say(name, line) {
  if (told.has(name)) return;
  told.add(name);
  make("li", "", line, lines);
}
