// Small things that every part uses. Text goes in as text, never as HTML.

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

// One device fills the screen, the others are a swipe away.
export const small = matchMedia("(max-width: 820px)");

export function make(name, className, text, parent) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

export const byId = (id) => document.getElementById(id);

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

export function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

// Scrolls within the list alone; scrollIntoView would move the page under the reader.
export function toEnd(list) {
  list.scrollTo({ top: list.scrollHeight, behavior: calm.matches ? "auto" : "smooth" });
}
