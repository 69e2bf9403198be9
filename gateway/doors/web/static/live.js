// Hears the stream: what is new (news.js) and what has changed (changes.js). Events carry ids and counts alone; the page
// asks for the rest itself, with its own rights.
import { askForNews, hearNews } from "./news.js";
import { hearChanges } from "./changes.js";

const meta = document.querySelector("meta[name=stream]");
const live = document.querySelector("[data-live]");
const HEARD = "open news"; // events of a stream that lives
let lostAt = 0;
let asking;

function alive() {
  lostAt = 0;
  clearInterval(asking);
  asking = undefined;
  if (!live) return;
  live.hidden = false;
  live.classList.remove("off");
  live.textContent = live.dataset.on;
}

// Not live for 20 seconds: the page says so, and asks every 30 until it is again.
function lost() {
  lostAt ||= Date.now();
  if (asking || Date.now() - lostAt < 20_000) return;
  asking = setInterval(askForNews, 30_000);
  if (!live) return;
  live.hidden = false;
  live.classList.add("off");
  live.textContent = live.dataset.off.replace("0:00", new Date(lostAt).toTimeString().slice(0, 5));
}

function hear(event) {
  const places = JSON.parse(event.data);
  hearNews(places);
  hearChanges(places.changed);
}

function begin(since) {
  const stream = new EventSource(`${meta.content}?since=${since}`, { withCredentials: true });
  for (const each of HEARD.split(" ")) stream.addEventListener(each, alive);
  stream.addEventListener("news", hear);
  stream.addEventListener("error", () => {
    lost();
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => begin(since), 5000); // a proxy said no for a moment
  });
  addEventListener("pagehide", () => stream.close());
}

if (meta && window.EventSource) {
  begin(meta.dataset.since);
  setInterval(() => { if (lostAt) lost(); }, 1000);
}
