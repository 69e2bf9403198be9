// Names and tags that complete while one writes: arrows, Enter, Esc (ARIA combobox with a listbox).
const BEFORE = /(?:^|\s)([@#][\p{L}\p{N}_]{2,20})$/u;

export function completes(field) {
  const list = field.parentElement.querySelector(".suggest");
  if (!list) return;
  let asked = "";
  let chosen = 0;
  list.id ||= "suggested";
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  const close = () => { list.hidden = true; field.removeAttribute("aria-activedescendant"); };
  const begun = () => BEFORE.exec(field.value.slice(0, field.selectionStart))?.[1] ?? "";
  const mark = () => [...list.children].forEach((each, at) => {
    each.setAttribute("aria-selected", String(at === chosen));
    if (at === chosen) field.setAttribute("aria-activedescendant", each.id);
  });
  const take = (at) => {
    const word = list.children[at].dataset.word;
    field.setRangeText(`${word} `, field.selectionStart - begun().length, field.selectionStart, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const row = ([sign, handle, name], at) => {
    const item = document.createElement("li");
    item.id = `suggested-${at}`;
    item.setAttribute("role", "option");
    item.dataset.word = sign + handle;
    const word = document.createElement("b");
    word.textContent = sign + handle;
    item.append(word, ` ${name}`);
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(at); });
    return item;
  };
  field.addEventListener("input", async () => {
    asked = begun();
    if (!asked) { close(); return; }
    const word = asked;
    const found = await (await fetch(`/write/names?q=${encodeURIComponent(word)}`)).json();
    if (word !== asked || !found.length) { if (word === asked) close(); return; }
    chosen = 0;
    list.replaceChildren(...found.map(row));
    list.hidden = false;
    mark();
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { chosen = (chosen + by + list.children.length) % list.children.length; mark(); }
    else if (event.key === "Enter" || event.key === "Tab") take(chosen);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  field.addEventListener("blur", close);
}
