// "What just happened": the way of the last text through Critter, stop by stop, with the times it took.

import { byId, counted } from "./dom.js";

const stops = Object.fromEntries([...byId("road").children].map((stop) => [stop.dataset.stop, stop]));
const usual = Object.fromEntries(Object.entries(stops).map(([name, stop]) => [name, stop.lastElementChild.textContent]));
const doors = new Map(); // carrier's id → how the web hook went
let current = null;

export function begin(id, who, says) {
  current = id;
  byId("road-quote").textContent = `${who.split(" ")[0]}: “${says}”`;
  for (const name of Object.keys(stops)) mark(name, false, usual[name]);
  if (doors.has(id)) door(doors.get(id));
}

export function reset() {
  current = null;
  doors.clear();
  byId("road-quote").textContent = "Nothing yet. Press 1.";
  for (const name of Object.keys(stops)) mark(name, false, usual[name]);
}

export function hooked(hook) {
  doors.set(hook.sid, hook);
  if (hook.sid === current) door(hook);
}

function door(hook) {
  const fine = hook.status === 200;
  mark("door", fine, fine ? `stored and answered in ${Math.max(1, Math.round(hook.ms))} ms` : `answered ${hook.status || hook.reason}`);
}

export function seen(id, told) {
  if (id !== current || told.state === "unknown") return;
  if (!doors.has(id)) mark("door", true, "stored, then accepted");
  if (told.ms === null || told.state === "new" || told.state === "working") return;
  mark("read", true, `as ${told.read_as || told.state}, after ${told.ms} ms: ${told.reason}`);
  mark("spread", !told.open, spread(told));
  mark("sent", !told.open && told.copies > 0 && told.ended >= told.copies, sent(told));
}

function spread(told) {
  if (told.undone) return "stopped by UNDO: no copy was made";
  if (told.holds) return "waits, so that UNDO can stop it";
  if (told.spread_ms === null) return "nothing to copy: only the answer goes out";
  return `${counted(told.texts, "text")}, ${counted(told.mails, "mail")}, after ${span(told.spread_ms)}`;
}

const span = (ms) => (ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`);

function sent(told) {
  if (told.holds) return "only the answer so far";
  if (!told.copies) return told.open ? "not yet" : "nothing to send";
  const number = (count) => count.toLocaleString("en");
  const after = told.sent_ms === null ? "" : `, the last after ${span(told.sent_ms)}`;
  return `${number(told.sent)} of ${number(told.copies)}${after}${reported(told)}`;
}

// Mails are not reported, and a report may come later than the page asks: nought is then no news.
function reported({ delivered, sent_texts }) {
  if (!sent_texts) return "";
  if (!delivered) return "; the carrier's report is still to come";
  return `; ${delivered.toLocaleString("en")} of ${counted(sent_texts, "text")} reported delivered`;
}

function mark(name, done, words) {
  stops[name].classList.toggle("done", done);
  stops[name].lastElementChild.textContent = words;
}
