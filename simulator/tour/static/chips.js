// The numbered steps: they type for you, letter by letter, press send, and show where to look.

import { byId, calm, pause, small } from "./dom.js";

const LETTER = 38; // ms
const SOON = 350;
const PATIENCE = 12_000; // for what the next thing to type waits for
const SOON_HEARD = 4_000;
const READING = 900;
const see = byId("see");
let playing = false;

export function install(devices, panels) {
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => play(chip, devices, panels));
  }
}

export function reset() {
  see.textContent = "";
  for (const chip of document.querySelectorAll(".chip")) chip.classList.remove("done", "now");
}

export async function type(field, text) {
  field.value = "";
  field.closest(".device")?.classList.add("typing");
  for (const letter of calm.matches ? [text] : text) {
    field.value += letter;
    field.scrollLeft = field.scrollWidth;
    await pause(calm.matches ? 0 : LETTER);
  }
  await pause(SOON);
  field.closest(".device")?.classList.remove("typing");
}

async function play(chip, devices, panels) {
  if (playing) return;
  busy(true);
  for (const other of document.querySelectorAll(".chip.now")) other.classList.remove("now");
  chip.classList.add("now");
  see.textContent = chip.dataset.see;
  chip.scrollIntoView({ block: "nearest", inline: "center", behavior: calm.matches ? "auto" : "smooth" });
  try {
    if (chip.dataset.opens) await panels[chip.dataset.opens]();
    else await perform(chip, devices);
    chip.classList.add("done");
  } catch (error) {
    see.textContent = error.message;
  }
  busy(false);
}

function busy(now) {
  playing = now;
  document.body.classList.toggle("playing", now);
  for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-disabled", String(now));
}

async function perform(chip, devices) {
  let before = received(devices);
  for (const beat of chip.querySelectorAll("q")) {
    const device = devices.get(beat.dataset.by);
    if (beat.dataset.after) await reached(devices.get(beat.dataset.after), before, beat);
    if (beat.dataset.mail && device.to.options.length < 2) {
      throw new Error(`${first(device)} has no mail to answer yet. Press 2 first.`);
    }
    look(device);
    await pause(calm.matches ? 0 : SOON);
    await type(device.field, beat.textContent);
    before = received(devices);
    await device.send();
  }
  await show(chip.dataset.watch.split(" ").map((handle) => devices.get(handle)), before);
}

// One after the other comes into view as soon as something has arrived there.
async function show(watched, before) {
  for (const device of watched) {
    if (!(await heard(device, before, SOON_HEARD))) continue;
    look(device);
    await pause(small.matches && device !== watched.at(-1) ? READING : 0);
  }
}

const received = (devices) => new Map([...devices.values()].map((device) => [device, device.received]));

const look = (device) => device.article.dispatchEvent(new CustomEvent("look", { bubbles: true }));

async function reached(device, before, beat) {
  if (device.stopped) throw new Error(`${first(device)} has stopped texts, so none arrives. Start over to go back.`);
  if (!(await heard(device, before, PATIENCE))) {
    throw new Error(`Nothing reached ${first(device)}'s phone. Is everything running?`);
  }
  look(device);
  await pause(Number(beat.dataset.pause));
}

async function heard(device, before, patience) {
  for (const end = Date.now() + patience; Date.now() < end; await pause(60)) {
    if (device.received > before.get(device)) return true;
  }
  return false;
}

const first = (device) => device.name.split(" ")[0];
