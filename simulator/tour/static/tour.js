// The tour, put together: the devices, the live stream, the steps, and what stands inside.

import { post } from "./asking.js";
import { fine, trouble } from "./banner.js";
import * as chips from "./chips.js";
import { byId, calm, small } from "./dom.js";
import * as drill from "./drill.js";
import * as explaining from "./explaining.js";
import { Mailbox } from "./mailbox.js";
import * as panels from "./panels.js";
import { Phone } from "./phone.js";
import { follow } from "./ribbon.js";
import * as road from "./road.js";
import { listen } from "./stream.js";

const devices = new Map();
const byAddress = new Map();

// Every input gets its ribbon; the newest one's way is also shown inside.
function watch(id, item, { who, says, quiet }) {
  if (!quiet) road.begin(id, who, says);
  follow(id, item, (told) => road.seen(id, told));
}

for (const article of document.querySelectorAll(".device[data-phone], .device[data-mailbox]")) {
  const device = article.dataset.phone ? new Phone(article, watch) : new Mailbox(article, watch);
  devices.set(device.handle, device);
  byAddress.set(device.number || device.address, device);
}

const clear = () => {
  for (const device of devices.values()) device.startOver();
  road.reset();
  chips.reset();
  drill.reset();
  explaining.reset();
};

const refresh = () => {
  for (const device of devices.values()) device.refresh().catch(() => {}); // the banner has said it
};

listen({
  text: (text) => byAddress.get(text.direction === "inbound" ? text.from : text.to)?.show(text),
  mail: (mail) => byAddress.get(mail.mailbox)?.show(mail),
  status: (status) => byAddress.get(status.to)?.status?.(status),
  hook: (hook) => {
    road.hooked(hook);
    byAddress.get(hook.from)?.hooked(hook);
  },
  reset: clear,
  again: refresh,
});
refresh();

// On a small screen one device fills it: the one to look at comes into view, and its tab says so.
const strip = byId("devices");

function look(target) {
  if (!small.matches) return;
  strip.scrollTo({ left: target.offsetLeft - strip.offsetLeft, behavior: calm.matches ? "auto" : "smooth" });
}

strip.addEventListener("look", (event) => look(event.target));
byId("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (!tab) return;
  event.preventDefault();
  look(byId(tab.dataset.tab));
});
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const tab = document.querySelector(`[data-tab="${target.id}"]`);
    tab.toggleAttribute("aria-current", isIntersecting && small.matches);
    if (!isIntersecting) continue;
    tab.classList.remove("unread");
    if (small.matches) tab.parentElement.scrollTo({ left: tab.offsetLeft - 60 });
  }
}, { root: strip, threshold: 0.6 });
for (const device of strip.children) seen.observe(device);

const dana = async (by, says) => {
  look(devices.get(by).article);
  await chips.type(devices.get(by).field, says);
  devices.get(by).field.value = "";
  look(byId("inside"));
};

async function runDrill() {
  panels.open("drill");
  look(byId("inside"));
  await drill.run(dana);
}

async function runExplain() {
  panels.open("explain");
  look(byId("inside"));
  await chips.type(explaining.field, "leave the building now");
  await explaining.ask();
}

chips.install(devices, { drill: runDrill, explain: runExplain });
byId("drill-start").addEventListener("click", runDrill);
drill.join().then((running) => running && panels.open("drill"), () => {});

byId("start-over").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    await post("/tour/start-over");
    fine("start");
    clear();
    panels.open("road");
  } catch (error) {
    if (!error.told) trouble("start", error.message);
    setTimeout(() => fine("start"), 6000);
  }
  event.target.disabled = false;
});
