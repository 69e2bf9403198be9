// While one writes: parts and reach, drafts on the server, names and tags that complete.
import { completes } from "./complete.js";

const csrf = document.querySelector("meta[name=csrf]")?.content;
const post = (path, fields) => fetch(path, { method: "POST", headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams(fields) });

function audience(form) {
  return new FormData(form).get("audience") ?? form.dataset.draft;
}

function later(wait, act) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(act, wait); };
}

async function reach(form, field) {
  const card = document.querySelector("[data-reach-card]");
  if (!card) return;
  const person = form.elements.person?.value ?? "";
  const answer = await post("/write/reach", { audience: audience(form), person, text: field.value });
  if (answer.ok) card.innerHTML = await answer.text(); // made by our own server, from words that it has escaped
}

// Private is shape, word and colour, from the moment that it is chosen.
function dress(form) {
  const button = form.querySelector("[data-privately]");
  if (!button) return;
  const privately = /^(private|to:)/.test(audience(form));
  form.querySelector(".composer").classList.toggle("private", privately);
  button.classList.toggle("plum", privately);
  button.textContent = privately ? button.dataset.privately : button.dataset.send;
}

function watch(form) {
  const field = form.querySelector("textarea");
  let kept = field.value;
  completes(field);
  const keep = async () => {
    if (field.value === kept) return;
    kept = field.value;
    const answer = await post("/drafts", { audience: audience(form), text: kept });
    const said = document.querySelector("[data-kept]");
    if (answer.ok && said) said.textContent = new Date().toTimeString().slice(0, 5);
  };
  const soon = later(3000, keep);
  const measured = later(300, () => reach(form, field));
  const changed = () => { soon(); if ("reaches" in form.dataset) measured(); };
  form.addEventListener("input", changed);
  form.addEventListener("change", () => dress(form));
  form.addEventListener("submit", () => { kept = field.value; });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });
  if (field.value && "reaches" in form.dataset) reach(form, field);
}

for (const form of document.querySelectorAll("form[data-draft]")) watch(form);
for (const button of document.querySelectorAll("[data-preview]")) button.hidden = true;
