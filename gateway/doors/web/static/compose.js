// While one writes: parts and reach, drafts, names and tags that complete, the picture that was chosen.
import { completes } from "./complete.js";
import { keepHere, keptHere, forgetHere } from "./drafts.js";
import { shows } from "./picture.js";

const csrf = document.querySelector("meta[name=csrf]")?.content;
const post = (path, fields) => fetch(path, { method: "POST", headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams(fields) });

function audience(form) {
  return new FormData(form).get("audience") ?? form.dataset.draft;
}

function later(wait, act) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(act, wait); };
}

// The card is made by our own server, from words that it has escaped.
async function reach(form, field) {
  const person = form.elements.person?.value ?? "";
  const answer = await post("/write/reach", { audience: audience(form), person, text: field.value }).catch(() => null);
  if (!answer?.ok) return;
  const card = document.querySelector("[data-reach-card]");
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  const { whom, counted, button } = made.dataset;
  for (const [name, words] of [["reach", whom], ["counts", counted]]) {
    const place = form.querySelector(`[data-${name}]`);
    if (place) place.textContent = words;
  }
  if (!card || !("reaches" in form.dataset)) return;
  card.replaceChildren(made);
  form.dataset.button = button;
  dress(form);
}

// Private is shape, word and colour, from the moment that it is chosen.
function dress(form) {
  const button = form.querySelector("[data-privately]");
  if (!button) return;
  const privately = /^(private|to:)/.test(audience(form));
  form.querySelector(".composer").classList.toggle("private", privately);
  button.classList.toggle("plum", privately);
  button.textContent = form.dataset.button || (privately ? button.dataset.privately : button.dataset.send);
}

function watch(form) {
  const field = form.querySelector("textarea");
  field.value ||= keptHere(audience(form));
  let kept = field.value;
  completes(field);
  shows(form);
  const keep = async () => {
    if (field.value === kept) return;
    kept = field.value;
    const name = audience(form);
    const answer = await post("/drafts", { audience: name, text: kept }).catch(() => null);
    if (answer?.ok) forgetHere(name);
    else keepHere(name, kept); // it stays in this browser, and is never sent by itself
    const said = document.querySelector("[data-kept]");
    if (said) said.textContent = new Date().toTimeString().slice(0, 5);
  };
  const soon = later(3000, keep);
  const measured = later(300, () => reach(form, field));
  form.addEventListener("input", () => { soon(); measured(); });
  form.addEventListener("change", () => { form.dataset.button = ""; dress(form); });
  form.addEventListener("submit", () => { kept = field.value; forgetHere(audience(form)); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });
  if (field.value || "reaches" in form.dataset) reach(form, field);
}

for (const form of document.querySelectorAll("form[data-draft]")) watch(form);
for (const button of document.querySelectorAll("[data-preview], [data-pictures] > summary")) button.hidden = true;
for (const each of document.querySelectorAll("[data-opens]")) {
  each.hidden = false;
  each.addEventListener("click", () => document.getElementById(each.dataset.opens).click());
}
