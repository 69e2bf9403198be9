// The three panels inside: tabs with arrow keys, as the ARIA practices have them.

import { byId } from "./dom.js";

const tabs = [...document.querySelectorAll("[role=tab]")];

export function open(name, focus = false) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
}

const nameOf = (tab) => tab.id.replace("tab-", "");

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(nameOf(tab)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) open(nameOf(tabs[(place + step + tabs.length) % tabs.length]), true);
  });
}
