"""The web process as tests run it: in this process on a real socket, or as the real gunicorn."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
from twilio.request_validator import RequestValidator
from werkzeug.serving import WSGIRequestHandler, make_server

from critter.processes.app import DoorResources, build, create_app
from gateway.settings import Settings, load
from tests.support.fork_server import Process, shared

ROOT = Path(__file__).parents[2]
SERVE = "import json, sys; from gateway.settings import load; import critter.processes.app as app; "


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None: ...


@contextmanager
def served(settings: Settings, change: Callable[[DoorResources], DoorResources] = lambda parts: parts) -> Iterator[str]:
    """The URL of the whole application, in a thread."""
    parts = build(settings)
    host, port = settings.web_listen
    server = make_server(host, port, create_app(settings, change(parts)), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        parts.close()


@contextmanager
def process(settings: Settings, entry: str, ready: Callable[[], object], first: str = "") -> Iterator[Process]:
    """`critter.processes.app.<entry>(settings)` as a process of its own, from when `ready` no longer raises OSError;
    `first`: statements that it begins with."""
    code = f"{SERVE} {first or 'pass'}; app.{entry}(load(json.loads(sys.argv[1])))"
    child = shared().run(code, json.dumps(environment(settings)))
    try:
        _wait(child, ready)
        yield child
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGTERM)
        child.wait(25)


def _wait(child: Process, ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ready()
        except OSError:
            assert child.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it never listened"
            time.sleep(0.05)
        else:
            return


def changed(settings: Settings, **environ: str) -> Settings:
    return load({**environment(settings), **environ})


def environment(settings: Settings) -> dict[str, str]:
    """What load() makes these settings of again."""
    named = {field.alias: getattr(settings, name) for name, field in type(settings).model_fields.items() if field.alias}
    return {name: _written(value) for name, value in named.items() if value not in (None, "", ())}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        listen = len(value) == 2 and isinstance(value[1], int)
        return f"{value[0]}:{value[1]}" if listen else ",".join(map(str, value))
    return str(value)


def text(settings: Settings, number: int = 0, **changed: str | None) -> dict[str, str]:
    """Twilio's form for a text; a changed field without a value is left out."""
    form = {
        "ToCountry": "US",
        "MessageSid": f"SM{number:032x}",
        "AccountSid": settings.twilio_account_sid,
        "From": "+15551230001",
        "To": settings.sms_numbers[0],
        "Body": "starting the ACME proposal",
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
    }
    return {name: value for name, value in {**form, **changed}.items() if value is not None}


def send(
    url: str,
    settings: Settings,
    path: str,
    form: Mapping[str, str],
    *,
    token: str | None = None,
    timeout: float = 30,
    **more: object,
) -> requests.Response:
    """Posts what Twilio would post, signed as Twilio's own library signs."""
    signer = RequestValidator(token or settings.twilio_auth_tokens[0])
    signature = signer.compute_signature(settings.public_url + path, dict(form))
    headers = {"X-Twilio-Signature": signature, **more.pop("headers", {})}  # type: ignore[dict-item]
    return requests.post(url + path, data=more.pop("data", form), headers=headers, timeout=timeout, **more)  # type: ignore[arg-type]
