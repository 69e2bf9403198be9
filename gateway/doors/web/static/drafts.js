// Drafts that could not be kept on the server, for there was no network or nobody was signed in: they wait in this
// browser, each for its person and audience, until that page is open again. Signing out forgets them.
const me = document.body.dataset.me;
const name = (audience) => `draft ${me} ${audience}`;

export const keptHere = (audience) => localStorage.getItem(name(audience)) ?? "";
export const forgetHere = (audience) => localStorage.removeItem(name(audience));

export function keepHere(audience, words) {
  if (words.trim()) localStorage.setItem(name(audience), words);
  else forgetHere(audience);
}

for (const form of document.querySelectorAll('form[action="/sign-out"]')) form.addEventListener("submit", () => localStorage.clear());
