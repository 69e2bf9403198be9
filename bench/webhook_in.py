"""P3: signed web hooks in, durable before 200, sixteen connections, against the smallest Flask application that checks
the signature and commits one row; the same WSGI server and the same load for both.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench.company import ROOT, Company, company
from bench.mail_in import listens
from bench.ports import free_port
from bench.result import Result

FORMS = 40_000  # made for a round: more than any server takes in
SECONDS = 4
ROUNDS = 3
CONNECTIONS = 16
HOW = "wrk is not installed: apt-get install --no-install-recommends wrk (as root)"

# wrk runs this script: every line of the file is a signature and a signed form, and is sent once.
SCRIPT = """
local forms = io.open("{forms}")
local function fail(why) io.stderr:write(why, "\\n") os.exit(1) end
function request()
  local line = forms:read()
  if line == nil then fail("too few forms") end
  local signature, form = line:match("(%S+) (%S+)")
  return wrk.format("POST", "/sms/inbound", {{
    ["X-Twilio-Signature"] = signature, ["Content-Type"] = "application/x-www-form-urlencoded" }}, form)
end
function response(status) if status ~= 200 then fail("answered " .. status) end end
function done(summary) print("RATE " .. summary.requests / summary.duration * 1e6) end
"""


def measure() -> list[Result]:
    """The rounds alternate, so that other load hits both; the median of the rounds counts."""
    if shutil.which("wrk") is None:
        print(f"P3 web hook in: {HOW}")
        return []
    with company("web") as place, smallest(place) as peer:
        own = place.settings.web_listen[1]
        place.wait(lambda: listens(own) and listens(peer))
        rounds = [compare(place, own, peer, number) for number in range(ROUNDS)]
        stored = place.scalar("SELECT count(*) FROM inbound"), place.scalar("SELECT count(*) FROM texts")
    mine, alone = (statistics.median(column) for column in zip(*rounds, strict=True))
    assert stored >= tuple(SECONDS * sum(column) for column in zip(*rounds, strict=True)), (
        f"texts are missing: {stored}"
    )
    return [Result("P3 web hook in", mine, "texts/s", "smallest Flask app", alone, 1.0)]


@contextmanager
def smallest(place: Company) -> Iterator[int]:
    """Runs the peer as a process; gives the port on which it listens."""
    settings, port = place.settings, free_port()
    arguments = [settings.database_owner_url, settings.twilio_auth_tokens[0], hook(place), str(port)]
    child = subprocess.Popen([sys.executable, "-m", "bench.smallest_app", *arguments], cwd=ROOT)
    try:
        yield port
    finally:
        child.terminate()
        child.wait(30)


def hook(place: Company) -> str:
    return f"{place.settings.public_url}/sms/inbound"


def compare(place: Company, own: int, peer: int, number: int) -> tuple[float, float]:
    """Measures both with the same new web hooks."""
    forms, script = place.folder / "forms", place.folder / "load.lua"
    write_forms(place, forms, range(number * FORMS, (number + 1) * FORMS))
    script.write_text(SCRIPT.format(forms=forms))
    return rate(script, own), rate(script, peer)


def rate(script: Path, port: int) -> float:
    """Web hooks a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    found = re.search(r"RATE ([0-9.]+)", run.stdout)
    if run.returncode or not found:
        raise RuntimeError(f"wrk: {run.stderr or run.stdout}")
    return float(found[1])


def write_forms(place: Company, path: Path, numbers: range) -> None:
    validator, url = RequestValidator(place.settings.twilio_auth_tokens[0]), hook(place)
    with path.open("w") as file:
        for number in numbers:
            form = {
                "ToCountry": "US",
                "ToState": "",
                "SmsMessageSid": f"SM{number:032x}",
                "NumMedia": "0",
                "ToCity": "",
                "FromZip": "",
                "SmsSid": f"SM{number:032x}",
                "FromState": "CA",
                "SmsStatus": "received",
                "FromCity": "",
                "Body": "starting the ACME proposal",
                "FromCountry": "US",
                "To": place.settings.sms_numbers[0],
                "ToZip": "",
                "NumSegments": "1",
                "MessageSid": f"SM{number:032x}",
                "AccountSid": place.settings.twilio_account_sid,
                "From": f"+1555{number % 10_000_000:07d}",
                "ApiVersion": "2010-04-01",
            }
            print(validator.compute_signature(url, form), urlencode(form), file=file)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
