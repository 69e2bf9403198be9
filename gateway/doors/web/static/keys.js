// Single keys, as the clients of this field have them. Not in fields, not with Ctrl, Alt or Meta, and not when the
// reader has switched them off (WCAG 2.1.4).
const updates = () => [...document.querySelectorAll("article.post, .person, .entry")];
const current = () => document.activeElement?.closest("article.post");
const press = (selector) => current()?.querySelector(selector)?.click();
const places = { h: "/", y: "/to-you", p: "/private", e: "/everyone", s: "/settings" };
let going = 0;

function move(by) {
  const all = updates();
  const at = all.indexOf(document.activeElement?.closest("article.post, .person, .entry"));
  const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
  if (next) { next.setAttribute("tabindex", "-1"); next.focus(); next.scrollIntoView({ block: "nearest" }); }
}

const does = {
  j: () => move(1),
  k: () => move(-1),
  o: () => current() && location.assign(current().dataset.at),
  Enter: () => document.activeElement === current() && location.assign(current().dataset.at),
  r: () => press(".act.reply"),
  l: () => press(".act.like"),
  t: () => press(".act.repeat"),
  m: () => { const menu = current()?.querySelector("details.act"); if (menu) { menu.open = !menu.open; menu.querySelector("summary").focus(); } },
  n: () => { const field = document.querySelector("form.composer:not(.reply) textarea"); if (field?.offsetParent) field.focus(); else location.assign("/write"); },
  u: () => { const undo = document.querySelector(".undo form"); if (undo) undo.requestSubmit(); else history.back(); },
  ".": () => document.querySelector("[data-news]:not([hidden])")?.click(),
  "/": () => { const field = document.querySelector("input[type=search]"); if (field) field.focus(); else location.assign("/search"); },
  "?": () => document.getElementById("keys")?.showModal(),
  g: () => { going = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); field.form?.requestSubmit(); return; }
  if (field && event.key === "Escape") { field.blur(); return; }
  if (field || event.ctrlKey || event.altKey || event.metaKey || document.body.dataset.keys !== "on") return;
  if (document.querySelector("dialog[open]")) return;
  if (Date.now() - going < 1500 && places[event.key]) { going = 0; location.assign(places[event.key]); return; }
  if (!does[event.key]) return;
  if (event.key === "Enter" && event.target !== current()) return;
  if (event.key !== "Enter") event.preventDefault();
  does[event.key]();
});
