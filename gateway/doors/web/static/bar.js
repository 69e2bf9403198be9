// Counts the seconds until an update leaves, in the bar at the foot and at the update itself. The server holds the
// truth; this only counts.
const bar = document.querySelector(".undo");
const ends = new WeakMap();

function end(words) {
  bar.classList.add("calm");
  bar.querySelector("form")?.remove();
  if (words) bar.querySelector("p").textContent = words;
  else bar.remove();
}

function tick(each) {
  if (!ends.has(each)) ends.set(each, Date.now() + each.dataset.leaves * 1000);
  const left = Math.ceil((ends.get(each) - Date.now()) / 1000);
  const text = each === bar ? bar.querySelector("p") : each;
  if (left > 0) { text.textContent = each.dataset.words.replace(/\d+/, left); return; }
  if (each === bar) end(each.dataset.left);
  else text.textContent = each.dataset.left;
  delete each.dataset.leaves;
}

if (bar?.dataset.leaves) {
  bar.setAttribute("aria-live", "off"); // the seconds were said once
  bar.style.setProperty("--left", `${bar.dataset.leaves}s`);
  bar.style.setProperty("--share", Math.min(1, bar.dataset.leaves / bar.dataset.hold));
} else if (bar?.dataset.offers) {
  setTimeout(() => { if (!bar.contains(document.activeElement)) end(""); }, bar.dataset.offers * 1000);
}
setInterval(() => document.querySelectorAll("[data-leaves]").forEach(tick), 250);
