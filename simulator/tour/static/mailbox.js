// One mailbox: mails with sender and subject, and a way to answer the last one or to write a new one.

import { ofSimulator } from "./asking.js";
import { Device } from "./device.js";
import { clock, make } from "./dom.js";

const MARK = /^## .* ##\s*/; // the line that says where to reply

export class Mailbox extends Device {
  constructor(article, watch) {
    super(article);
    this.address = article.dataset.mailbox;
    this.watch = watch;
    this.path = `/mailboxes/${encodeURIComponent(this.address)}`;
    this.to = this.form.elements.to;
    this.fresh = this.to.options[0];
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
  }

  async send() {
    const body = this.field.value.trim();
    if (!body) return;
    this.field.value = "";
    const fields = { body, name: this.name };
    if (this.to.value) fields.in_reply_to = this.to.value;
    else Object.assign(fields, { to: document.body.dataset.mailbox, subject: "" });
    try {
      const told = await ofSimulator(`${this.path}/mails`, fields);
      if (told.error || told.code !== 250) this.complain(told.error || `Not accepted: ${told.code} ${told.text}`);
    } catch {
      this.field.value = body; // the banner says why
    }
  }

  async refresh() {
    const told = await ofSimulator(`${this.path}.json?limit=20`);
    for (const mail of told.mails) this.show(mail, true);
  }

  show(mail, quiet) {
    const own = mail.direction === "sent";
    const item = this.place(mail.seq, own, quiet);
    if (!item) return;
    const bubble = make("div", "bubble", "", item);
    const who = own ? `to ${plainly(mail.to)}` : plainly(mail.from);
    make("p", "from", who, bubble);
    if (mail.subject) make("p", "subject", mail.subject, bubble);
    make("p", "text", body(mail), bubble);
    const note = make("p", "note", "", item);
    make("time", "", clock(mail.at), note).dateTime = mail.at;
    if (own) this.watch(mail.message_id, item, { who: this.name, says: body(mail), quiet });
    else this.answerable(mail, quiet);
  }

  answerable(mail, quiet) {
    const option = new Option(`Reply: ${mail.subject || plainly(mail.from)}`, mail.message_id);
    for (const old of [...this.to.options].slice(0, -1)) old.remove();
    this.to.prepend(option);
    this.to.value = mail.message_id;
    if (!quiet) this.say(`${this.name}'s mailbox: ${mail.subject}`);
  }

  clear() {
    super.clear();
    if (this.fresh) this.to.replaceChildren(this.fresh);
  }
}

function body(mail) {
  return (mail.text || "").replace(MARK, "").split("\n-- \n")[0].trim();
}

// A reply address is for machines; people see whose it is.
function plainly(address) {
  const name = /^"?([^"<]+?)"?\s*</.exec(address || "");
  return name ? name[1] : (address || "").replace(/^r\+\S+@/, "the reply address at ");
}
