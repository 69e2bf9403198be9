// A form that saves itself after each choice: it sends the row that was changed. What that changes elsewhere on the page
// is put in its place; what needs an answer or is refused is shown as without a script.
const saves = document.querySelector("form[data-saves]");
const saved = document.querySelector("[data-saved]");
let last = 0;

const fill = text => {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const piece of document.querySelectorAll("[data-fresh][id]")) {
    const anew = page.getElementById(piece.id);
    if (!anew || piece.contains(document.activeElement)) continue;
    piece.className = anew.className;
    piece.replaceChildren(...anew.childNodes);
  }
};

const content = field => {
  const sent = new URLSearchParams();
  for (const each of saves.querySelectorAll("input[type=hidden]")) sent.set(each.name, each.value);
  const ends = field.name.startsWith("end.");
  for (const each of field.closest("tr, .section").querySelectorAll(ends ? "select, :checked" : "input:checked, [name=limit]"))
    if (each.name) sent.set(each.name, each.value);
  sent.set("key", `${sent.get("key")}.${Date.now()}`);
  return sent;
};

saves?.addEventListener("change", async ({target}) => {
  if (target.name === "source") return;
  const mine = ++last;
  const answer = await fetch(saves.action, {method: "POST", body: content(target)}).catch(() => null);
  if (!answer?.ok) return saves.submit();
  if (mine !== last) return;
  fill(await answer.text());
  const time = new Date().toLocaleTimeString(document.documentElement.lang, {hour: "2-digit", minute: "2-digit"});
  saved.textContent = saved.dataset.saved.replace("TIME", time);
});
