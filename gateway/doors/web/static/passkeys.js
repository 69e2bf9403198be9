// Passkeys: adds one in the settings, and signs in with one. The server makes the options and checks the answers.
const known = window.PublicKeyCredential?.parseCreationOptionsFromJSON;
const post = (path, form) => fetch(path, {method: "POST", body: new URLSearchParams({csrf: form.csrf.value})}).then(answer => answer.ok ? answer.json() : Promise.reject(answer));
const send = (form, credential) => { form.credential.value = JSON.stringify(credential); form.submit(); };

const add = document.querySelector("form[data-passkey-add]");
if (add && known) {
  add.hidden = false;
  document.querySelector("[data-passkey-without]").hidden = true;
  add.addEventListener("submit", async event => {
    event.preventDefault();
    try {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await post("/settings/passkeys/options", add));
      send(add, await navigator.credentials.create({publicKey}));
    } catch { add.querySelector("[data-passkey-wrong]").hidden = false; }
  });
}

const enter = document.querySelector("form[data-passkey-enter]");
if (enter && known) {
  let asked = new AbortController();
  const ask = async more => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await post("/sign-in/passkey/options", enter));
    send(enter, await navigator.credentials.get({publicKey, ...more}));
  };
  enter.hidden = false;
  enter.addEventListener("submit", event => {
    event.preventDefault();
    asked.abort();
    ask({}).catch(() => { enter.querySelector("[data-passkey-wrong]").hidden = false; });
  });
  // In the field for the phone or mailbox, browsers offer passkeys by themselves; not again after a wrong one.
  if (!document.querySelector("#wrong") && await PublicKeyCredential.isConditionalMediationAvailable?.()) ask({mediation: "conditional", signal: asked.signal}).catch(() => {});
}
