"use strict";
// Draws every phone and mailbox that something happens to, and lets one type. All text goes in as text, never as HTML.

const boxes = new Map();
const main = document.getElementById("boxes");

function element(name, text, parent, className) {
  const made = document.createElement(name);
  made.textContent = text || "";
  if (className) made.className = className;
  if (parent) parent.append(made);
  return made;
}

function field(form, name, placeholder) {
  const input = element("input", "", form);
  input.name = name;
  input.placeholder = placeholder;
  return input;
}

function box(who) {
  if (boxes.has(who)) return boxes.get(who);
  const section = element("section", "", main);
  element("h2", who, section);
  const made = { list: element("ol", "", section), items: new Map() };
  boxes.set(who, made);
  const form = element("form", "", section);
  if (who.includes("@")) {
    field(form, "to", "to (a reply: leave empty)");
    field(form, "subject", "subject");
  }
  field(form, "body", "what to say");
  element("button", "Send", form);
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
  on("reset", () => { boxes.clear(); main.replaceChildren(); });
}

document.getElementById("add").addEventListener("submit", (event) => {
  event.preventDefault();
  box(event.target.who.value.trim());
  event.target.reset();
});

fetch("/phones.json").then((answer) => answer.json()).then((about) => {
  document.getElementById("company").textContent = `${about.company} · ${about.numbers.join(", ")}`;
});
listen();
