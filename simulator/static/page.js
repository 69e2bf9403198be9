"use strict";
// Draws every phone and mailbox that something happens to, and lets one type. All text goes in as text, never as HTML.

const boxes = new Map();
let people = {}; // phone or mailbox → whose it is, as far as anybody told
const main = document.getElementById("boxes");

function element(name, text, parent, className) {
  const made = document.createElement(name);
  made.textContent = text || "";
  if (className) made.className = className;
  if (parent) parent.append(made);
  return made;
}

function field(form, name, label) {
  const input = element("input", "", form);
  input.name = name;
  input.placeholder = label;
  input.setAttribute("aria-label", label);
  return input;
}

// Whose it is, and below it the number or the mailbox.
function title(who, made) {
  const name = people[who];
  made.heading.replaceChildren(name || who);
  if (name) element("small", who, made.heading);
  made.list.setAttribute("aria-label", `${who.includes("@") ? "Mails" : "Texts"} of ${name || who}`);
}

function box(who) {
  if (boxes.has(who)) return boxes.get(who);
  document.getElementById("empty").hidden = true;
  const section = element("section", "", main);
  const made = { heading: element("h2", "", section), list: element("ol", "", section), items: new Map() };
  made.list.tabIndex = 0; // so that it scrolls by keyboard
  element("li", who.includes("@") ? "No mails yet." : "No texts yet.", made.list, "nothing");
  boxes.set(who, made);
  title(who, made);
  const form = element("form", "", section);
  if (who.includes("@")) {
    field(form, "to", "To (empty: answers the last mail)");
    field(form, "subject", "Subject");
  }
  field(form, "body", "What to say");
  element("button", "Send", form).setAttribute("aria-label", `Send as ${people[who] || who}`);
  form.addEventListener("submit", (event) => send(event, who, made));
  return made;
}

async function send(event, who, made) {
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(event.target));
  const mail = who.includes("@");
  if (mail && !fields.get("to") && made.last) fields.set("in_reply_to", made.last);
  const path = mail ? `/mailboxes/${encodeURIComponent(who)}/mails` : `/phones/${encodeURIComponent(who)}/texts`;
  const answer = await (await fetch(path, { method: "POST", body: fields })).json();
  if (answer.error || (mail && answer.code !== 250)) element("li", answer.error || `${answer.code} ${answer.text}`, made.list);
  else event.target.reset();
}

function show(where, key, text, note, own) {
  if (where.items.has(key)) return;
  where.list.querySelector(".nothing")?.remove();
  const item = element("li", text, where.list, own ? "own" : "");
  where.items.set(key, element("small", note, item));
  where.list.scrollTop = where.list.scrollHeight;
}

function showText(text) {
  const own = text.direction === "inbound";
  show(box(own ? text.from : text.to), text.sid, text.body, own ? text.to : `${text.by} · ${text.status}`, own);
}

function showMail(mail) {
  const where = box(mail.mailbox);
  const own = mail.direction === "sent";
  if (!own) where.last = mail.message_id;
  show(where, mail.seq, `${mail.subject || ""}\n${mail.text || ""}`, own ? `to ${mail.to}` : mail.from, own);
}

function showStatus(status) {
  const note = boxes.get(status.to)?.items.get(status.sid);
  if (note) note.textContent = `critter · ${status.status}${status.error_code ? " " + status.error_code : ""}`;
}

function listen() {
  const events = new EventSource("/events?since=0&kinds=text,mail,status,reset");
  const on = (kind, draw) => events.addEventListener(kind, (event) => draw(JSON.parse(event.data)));
  on("text", showText);
  on("mail", showMail);
  on("status", showStatus);
  on("reset", () => {
    boxes.clear();
    for (const section of main.querySelectorAll("section")) section.remove();
    document.getElementById("empty").hidden = false;
  });
}

function tell(line) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = line;
  trouble.hidden = !line;
}

document.getElementById("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const who = event.target.who.value.trim();
  const good = who.includes("@") || /^\+[1-9]\d{6,14}$/.test(who);
  tell(good ? "" : "That is neither a phone number like +15551230001 nor a mailbox like kim@mail.example.");
  if (!good) return;
  box(who).list.parentElement.querySelector("[name=body]").focus();
  event.target.reset();
});

fetch("/phones.json").then((answer) => answer.json()).then((about) => {
  document.getElementById("company").textContent = `${about.company} · ${about.numbers.join(", ")}`;
  people = about.people;
  for (const [who, name] of Object.entries(people)) {
    const option = element("option", name, document.getElementById("people"));
    option.value = who;
  }
  for (const [who, made] of boxes) title(who, made);
});
listen();
