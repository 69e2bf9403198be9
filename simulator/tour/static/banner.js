// Says in the page what is away, one line for each, and takes it back when it is there again.

import { byId } from "./dom.js";

const troubles = new Map();

export function trouble(what, line) {
  troubles.set(what, line);
  show();
}

export function fine(what) {
  if (troubles.delete(what)) show();
}

function show() {
  const banner = byId("banner");
  banner.textContent = [...new Set(troubles.values())].join(" ");
  banner.hidden = troubles.size === 0;
}
