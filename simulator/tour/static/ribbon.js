// The ribbon under something that was sent: what it was read as, where it went, how long it took, what it would cost.

import { get } from "./asking.js";
import { fine, trouble } from "./banner.js";
import { counted, make, pause } from "./dom.js";

const LONGEST = 90_000;

export function money(cost) {
  return `$${cost.toFixed(cost < 0.01 ? 3 : 2)}`;
}

export function line(told) {
  if (told.state === "unknown") return "on its way to Critter";
  if (told.state === "new" || told.state === "working") return "taken in, not read yet";
  if (told.state !== "done") return told.reason || told.state;
  const parts = [`read as ${told.read_as}`, `${counted(told.texts, "text")}, ${counted(told.mails, "mail")}`];
  if (told.ms !== null) parts.push(`${told.ms} ms`);
  if (told.cost) parts.push(`would cost ${money(told.cost)}`);
  return parts.map((part) => part.replaceAll(" ", "\u00a0")).join(" · "); // breaks only between them
}

const over = (told) => told.state !== "unknown" && !told.open && !told.holds && told.ended >= told.copies;
// Only texts are reported delivered: a mail ends when the other mail server has taken it.
const final = (told) => over(told) && told.delivered >= told.sent_texts;

// Asks until everything it set off has ended. `seen` hears of every answer; a hold is counted down in between.
export async function follow(id, place, seen) {
  const shown = make("p", "ribbon", "…", place);
  const held = countdown(place);
  const end = Date.now() + LONGEST;
  for (let wait = 60; Date.now() < end; wait = Math.min(wait * 1.6, 1500)) {
    try {
      const told = await get(`/tour/trace?id=${encodeURIComponent(id)}`);
      fine("trace");
      shown.textContent = line(told);
      held.until(told);
      seen(told);
      if (final(told)) return held.until(told);
      if (told.holds) wait = Math.min(wait, 500);
    } catch (error) {
      if (!error.told) trouble("trace", error.message);
      wait = 1500;
    }
    if (place.dataset.refused) shown.remove();
    if (place.dataset.refused || !place.isConnected) return fine("trace");
    await pause(wait);
  }
}

// The hold of a private message: seconds, and a line that shrinks.
function countdown(place) {
  let shown, ends, total;
  function draw() {
    if (!ends) return;
    const left = ends - Date.now();
    if (left <= 0 || !place.isConnected) return stop();
    shown.firstChild.textContent = `leaves in ${Math.ceil(left / 1000)} s · to stop: UNDO`;
    shown.style.setProperty("--left", left / total);
    setTimeout(draw, 100);
  }
  function stop(said) {
    ends = 0;
    if (!shown) return;
    shown.classList.add("over");
    shown.firstChild.textContent = said || "on its way";
  }
  function until(told) {
    if (told.holds && !shown) {
      shown = make("p", "hold", "", place);
      make("span", "", "", shown);
      ends = Date.now() + told.holds * 1000;
      total = Math.max(told.holds * 1000, 10_000);
      draw();
    } else if (shown && !told.holds) {
      stop(told.undone ? "taken back in time: nobody got it" : "the hold is over: sent");
    }
  }
  return { until };
}
