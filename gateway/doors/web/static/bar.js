// The bar at the foot: counts the seconds until an update leaves. The server holds the truth; this only counts.
const bar = document.querySelector(".undo");

function end(words) {
  bar.classList.add("calm");
  bar.querySelector("form")?.remove();
  if (words) bar.querySelector("p").textContent = words;
  else bar.remove();
}

if (bar?.dataset.leaves) {
  const leaves = Date.now() + bar.dataset.leaves * 1000;
  const text = bar.querySelector("p");
  const words = text.textContent;
  bar.setAttribute("aria-live", "off"); // the seconds were said once
  const timer = setInterval(() => {
    const left = Math.ceil((leaves - Date.now()) / 1000);
    if (left > 0) text.textContent = words.replace(/\d+/, left);
    else { clearInterval(timer); end(bar.dataset.left); }
  }, 250);
} else if (bar?.dataset.offers) {
  setTimeout(() => { if (!bar.contains(document.activeElement)) end(""); }, bar.dataset.offers * 1000);
}
