// One phone: texts with their times and ticks, and a line to type in.

import { ofSimulator } from "./asking.js";
import { Device } from "./device.js";
import { clock, make, toEnd } from "./dom.js";

const TICKS = {
  queued: ["○", "queued"], accepted: ["○", "queued"], sending: ["○", "sending"], sent: ["✓", "sent"],
  delivered: ["✓✓", "delivered"], undelivered: ["✕", "not delivered"], failed: ["✕", "failed"], received: ["", ""],
};

export class Phone extends Device {
  constructor(article, watch) {
    super(article);
    this.number = article.dataset.phone;
    this.watch = watch;
    this.path = `/phones/${encodeURIComponent(this.number)}`;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  async send() {
    const body = this.field.value.trim();
    if (!body) return;
    this.field.value = "";
    try {
      const told = await ofSimulator(`${this.path}/texts`, { body });
      if (told.error) this.complain(told.error);
    } catch {
      this.field.value = body; // the banner says why
    }
  }

  async refresh() {
    const told = await ofSimulator(`${this.path}.json?limit=40`);
    for (const text of told.texts) this.show(text, true);
    this.blocked(told.blocked.length > 0);
  }

  show(text, quiet) {
    const own = text.direction === "inbound";
    const item = this.place(text.sid, own, quiet);
    if (!item) return this.status(text);
    make("p", "bubble", text.body, item);
    const note = make("p", "note", "", item);
    make("time", "", clock(text.at), note).dateTime = text.at;
    if (text.by === "carrier") make("span", "", "by the carrier itself", note);
    make("span", "ticks", "", note);
    this.status(text);
    if (own) this.watch(text.sid, item, { who: this.name, says: text.body, quiet });
    else if (!quiet) this.say(`${this.name}'s phone: ${text.body}`);
    if (own || text.by === "carrier") setTimeout(() => this.carrier(text.body), 0);
  }

  status({ sid, status }) {
    const ticks = this.items.get(sid)?.querySelector(".ticks");
    const [sign, words] = TICKS[status] || ["", status];
    if (!ticks || !words) return;
    ticks.textContent = sign;
    ticks.title = words;
    ticks.classList.toggle("done", status === "delivered");
    make("span", "unseen", words, ticks);
  }

  // The carrier tries twice. What Critter did not take in then is lost, and its writer must know.
  hooked({ sid, status, reason, attempt }) {
    if (status === 200 || (attempt < 2 && (status === null || status >= 500))) return;
    const item = this.items.get(sid);
    if (!item) return;
    item.dataset.refused = "yes";
    make("p", "refused", `not taken in (${status || reason}): the carrier has given up. Send it again.`, item);
  }

  // After a carrier's word the simulator knows whether it blocks this phone.
  async carrier(body) {
    if (!/^\s*(stop|stopall|unsubscribe|cancel|end|quit|revoke|optout|start|unstop|yes)\s*$/i.test(body)) return;
    this.blocked((await ofSimulator(`${this.path}.json?limit=1`)).blocked.length > 0);
  }

  blocked(stopped) {
    this.stopped = stopped;
    this.article.querySelector(".stopped")?.remove();
    if (!stopped) return;
    const line = make("p", "stopped", "Stopped: no text gets here until START comes.");
    this.list.after(line);
    toEnd(this.list);
  }

  clear() {
    super.clear();
    if (this.article.querySelector(".stopped")) this.blocked(false);
  }
}
