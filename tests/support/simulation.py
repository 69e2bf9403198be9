"""A simulator in a thread, between unmodified clients and a Critter that only writes down what it hears."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qsl

import requests
import uvloop
from aiohttp import web
from aiosmtpd.smtp import SMTP
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulator import Options, serve

ACCOUNT, TOKEN, OLD_TOKEN = "AC" + "5" * 32, "signs", "still opens"
OURS, SECOND = "+15005550006", "+15005550007"
SAM, KIM = "+15551230001", "+15551230002"
SERVICE = "MG" + "7" * 32


class Heard:
    """Critter's doors: every request and mail, in order; `statuses` are answered one after the other, then 200."""

    def __init__(self):
        self.requests, self.mails, self.statuses = [], [], []

    async def request(self, request):
        form = dict(parse_qsl(await request.text(), keep_blank_values=True))
        self.requests.append((str(request.url), request.path, form, request.headers))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address.startswith("nobody@"):
            return "550 5.1.1 Nobody here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope)
        return "250 2.0.0 Taken"

    def forms(self, path):
        return [form for _, where, form, _ in self.requests if where.startswith(path)]


class Simulation:
    """The running thing, and the ways to talk to it that tests need."""

    def __init__(self, changes):
        self.heard, self.changes = Heard(), changes
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def start(self):
        self.thread.start()
        self.run(self._start())
        self.url = self.running.url
        self.twilio = self.client()

    async def _start(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.heard.request)
        self.web = web.AppRunner(app, shutdown_timeout=0.1)
        await self.web.setup()
        await web.TCPSite(self.web, "127.0.0.1", 0).start()
        self.critter = f"http://127.0.0.1:{self.web.addresses[0][1]}"
        smtp = await self.loop.create_server(lambda: SMTP(self.heard, enable_SMTPUTF8=True), "127.0.0.1", 0)
        self.mail = smtp
        given = {
            "account_sid": ACCOUNT,
            "auth_token": (TOKEN, OLD_TOKEN),
            "numbers": (OURS, SECOND),
            "listen": ("127.0.0.1", 0),
            "smtp_listen": ("127.0.0.1", 0),
            "webhook_url": f"{self.critter}/sms/inbound",
            "fallback_url": f"{self.critter}/fallback",
            "mail_target": smtp.sockets[0].getsockname()[:2],
            "sent_after": 0.03,
            "delivered_after": 0.06,
            "hook_retry_after": 0.05,
            "company": "Acme",
            "people": {SAM: "Sam Ortiz"},
        }
        self.running = await serve(Options(**{**given, **self.changes}))

    async def _stop(self):
        await self.running.close()
        self.mail.close()
        await self.web.cleanup()

    def stop(self):
        self.run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def client(self, user=ACCOUNT, password=TOKEN, **more):
        client = Client(user, password, http_client=TwilioHttpClient(timeout=5), **more)
        client.api.base_url = self.url
        return client

    def send(self, to=SAM, body="hello", sender=OURS, **more):
        return self.twilio.messages.create(to=to, from_=sender, body=body, **more)

    def text(self, body, phone=SAM, **more):
        return requests.post(f"{self.url}/phones/{phone}/texts", data={"body": body, **more}, timeout=10).json()

    def get(self, path):
        return requests.get(self.url + path, timeout=10).json()

    def faults(self, *wanted):
        answer = requests.put(f"{self.url}/faults", json=list(wanted), timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ledger(self, kind=None):
        lines = requests.get(f"{self.url}/ledger.jsonl", timeout=10).text.splitlines()
        return [line for line in map(json.loads, lines) if kind in (None, line["kind"])]

    def reset(self):
        requests.post(f"{self.url}/reset", timeout=10).raise_for_status()
        self.heard.requests.clear()
        self.heard.mails.clear()
        self.heard.statuses.clear()


@contextmanager
def simulation(**changes):
    it = Simulation(changes)
    it.start()
    try:
        yield it
    finally:
        it.stop()


def soon(probe, seconds=5.0):
    """What `probe` gives, once it is something."""
    end = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found
