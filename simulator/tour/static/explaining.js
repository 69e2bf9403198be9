// How any text would be read, asked live; nothing is sent and nothing is kept.

import { post } from "./asking.js";
import { byId, make } from "./dom.js";

const form = byId("explain");
const shown = byId("explained");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
for (const example of document.querySelectorAll(".try button")) {
  example.addEventListener("click", () => {
    form.elements.text.value = example.textContent;
    ask();
  });
}

export const field = form.elements.text;

export function reset() {
  form.reset();
  shown.replaceChildren();
}

export async function ask() {
  const text = form.elements.text.value;
  if (!text.trim()) return;
  try {
    draw(await post("/tour/explain", { text, by: form.elements.by.value }));
  } catch (error) {
    shown.replaceChildren(make("dd", "wide", error.message));
  }
}

function draw(told) {
  shown.replaceChildren();
  row("read as", told.intent, "strong");
  if (told.args.length) row("with", told.args.map((arg) => `“${arg}”`).join(", "));
  row("who gets it", { company: "everyone who follows them", group: "the group", direct: "private" }[told.privacy] || "nobody");
  row("because", told.reason);
  row("answer", told.would_answer || "nothing, it just goes out");
}

function row(name, value, className) {
  make("dt", "", name, shown);
  make("dd", className, value, shown);
}
