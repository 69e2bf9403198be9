// What a phone and a mailbox have in common: a list of items, what to say while it is empty, and the unread mark.

import { byId, make, toEnd } from "./dom.js";

export class Device {
  constructor(article) {
    this.article = article;
    this.handle = article.id;
    this.name = article.dataset.name;
    this.list = article.querySelector(".items");
    this.form = article.querySelector("form");
    this.field = this.form.elements.body;
    this.nothing = article.dataset.nothing;
    this.received = 0;
    this.keepAtEnd();
    this.clear();
  }

  clear() {
    this.items = new Map();
    this.list.replaceChildren();
    make("li", "nothing", this.nothing, this.list);
  }

  // As nobody had touched it yet, also what was typed and not sent.
  startOver() {
    this.clear();
    this.form.reset();
    this.received = 0;
    this.article.classList.remove("heard", "typing");
    document.querySelector(`[data-tab="${this.handle}"]`)?.classList.remove("unread");
  }

  // Ribbons and ticks come later and push what is below them: the end stays in view, unless somebody scrolled up.
  keepAtEnd() {
    let following = true;
    const scrolled = () => requestAnimationFrame(() => {
      following = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    });
    for (const kind of ["wheel", "touchmove", "keydown"]) this.list.addEventListener(kind, scrolled, { passive: true });
    const changed = () => following && toEnd(this.list);
    new MutationObserver(changed).observe(this.list, { childList: true, subtree: true, characterData: true });
  }

  // A place for an item, or null when it stands there already.
  place(key, own, quiet) {
    if (this.items.has(key)) return null;
    this.list.querySelector(".nothing")?.remove();
    const item = make("li", own ? "item own" : "item", "", this.list);
    this.items.set(key, item);
    if (!quiet) {
      item.classList.add("fresh");
      if (!own) this.heard();
    }
    return item;
  }

  heard() {
    this.received += 1;
    this.article.classList.remove("heard");
    void this.article.offsetWidth; // so that the glow starts anew
    this.article.classList.add("heard");
    document.querySelector(`[data-tab="${this.handle}"]`)?.classList.add("unread");
    this.article.dispatchEvent(new CustomEvent("heard", { bubbles: true }));
  }

  // For screen readers, which hear whose device it is; the lists themselves stay silent.
  say(line) {
    const heard = byId("heard");
    make("p", "", line, heard);
    while (heard.children.length > 6) heard.firstChild.remove();
  }

  complain(line) {
    this.list.querySelector(".nothing")?.remove();
    make("li", "complaint", line, this.list);
    toEnd(this.list);
  }
}
