// A form that saves itself after each choice. What it changes elsewhere on the page is put in its place; what needs an
// answer or is refused is shown as without a script.
const saves = document.querySelector("form[data-saves]");
const saved = document.querySelector("[data-saved]");
let last = 0;

const fill = text => {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const piece of document.querySelectorAll("[data-fresh][id]")) {
    const anew = page.getElementById(piece.id);
    if (anew && !piece.contains(document.activeElement)) piece.replaceChildren(...anew.childNodes), piece.className = anew.className;
  }
};

const save = async () => {
  const mine = ++last, content = new FormData(saves);
  content.set("key", `${content.get("key")}.${Date.now()}`);
  const answer = await fetch(saves.action, {method: "POST", body: new URLSearchParams(content)}).catch(() => null);
  if (!answer?.ok) return saves.submit();
  if (mine !== last) return;
  fill(await answer.text());
  const time = new Date().toLocaleTimeString(document.documentElement.lang, {hour: "2-digit", minute: "2-digit"});
  saved.textContent = saved.dataset.saved.replace("TIME", time);
};

saves?.addEventListener("change", event => {
  if (event.target.name !== "source") save();
});
