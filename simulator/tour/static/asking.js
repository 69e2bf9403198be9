// The page's questions to the web process and to the simulator. A failed one says so in the banner and throws.

import { fine, trouble } from "./banner.js";

const simulator = document.body.dataset.simulator;
const NO_WEB = "This page's own server does not answer. Is critter up still running?";
const NO_SIMULATOR = `The simulator at ${simulator} does not answer; critter up starts it again by itself.`;

async function ask(name, url, options, away) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    trouble(name, away);
    throw Object.assign(new Error(away), { told: true });
  }
  fine(name);
  return answer;
}

async function own(path, options) {
  const answer = await ask("web", path, options, NO_WEB);
  const told = await answer.json().catch(() => ({ trouble: "The server could not answer that. Try once more." }));
  if (!answer.ok) throw new Error(told.trouble || "The server could not answer that. Try once more.");
  return told;
}

export const get = (path) => own(path, { cache: "no-store" });

export const post = (path, body = {}) =>
  own(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export async function ofSimulator(path, fields) {
  const options = fields ? { method: "POST", body: new URLSearchParams(fields) } : { cache: "no-store" };
  return (await ask("simulator", simulator + path, options, NO_SIMULATOR)).json();
}

export const NO_STREAM = NO_SIMULATOR;
export const streamUrl = `${simulator}/events?kinds=text,mail,status,hook,reset`;
