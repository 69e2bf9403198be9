"""Secrets are in no file of the repository, no argument, no job and no key of Redis, and none is made up (R53)."""

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from critter.processes.rq_worker import DrainWorker
from gateway.errors import SettingsError
from gateway.queue.jobs import DRAINS
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import load
from tests.settings.test_settings import LIVE
from tests.support.log_scan import SECRET
from tests.workers.test_strange_jobs import StubContext

ROOT = Path(__file__).parents[2]
SHAPES = {
    "a Twilio id": rb"\b(?:AC|SK|MG)(?![01]{30})(?!(?:0123456789abcdef){2})[0-9a-f]{32}\b",
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a cloud's key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}\b",
    "a token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,}|xox[baprs]-[\w-]{10,}|[sr]k_live_\w{16,}"
    rb"|glpat-[\w-]{20}|SG\.[\w-]{22}\.[\w-]{43}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,})\b",
    "a password in an address": rb"://[^\s/@\"':?]+:[^\s/@\"':{#]{4,}@",
}
MIXED = re.compile(rb"(?<![\w+/=-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/=-])")
MOST_BITS = 4.4  # a character: 32 random ones of base64 have about 4.7, names and words below 4.2
# What looks like one and is none: file → what stands there. Passwords of documents say what they are.
ALLOWED = {
    "tests/critter/test_cli_dkim.py": rb"-----BEGIN PRIVATE KEY-----",  # the words alone, that no output may hold
    "tests/carriers/test_webhook_sms.py": rb"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # of the standard's own examples
    "tests/security/test_standard_webhooks.py": rb"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    rb"|g0hM9SsE\+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "tests/critter/test_secrets.py": rb"(?s).*",
    "tests/critter/test_logs.py": rb"://worker:hunter2@",
    "tests/mail/test_signature_coverage.py": rb"nVGhlIGNhZsOpIGlzIG9wZW4s",  # a mail's words in base64
    "tests/critter/test_deployment.py": rb"://critter:secret@",
    "tests/whole/test_redis_access.py": rb"://critter:p%40ss%2Fword@",
    "tests/settings/test_settings.py": rb"://critter:secret@",
}
PLACEHOLDER = re.compile(rb"://\[?\w+:(?:pass(?:word)?|PASSWORD|wrong|p%40ss|pw-x)@")
MADE_BY_PROGRAMS = ("tests/mails/", "requirements.lock", "servers.lock")  # mails as they came; hashes


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def bits(word: bytes) -> float:
    counts = Counter(word)
    return -sum(number / len(word) * math.log2(number / len(word)) for number in counts.values())


def suspicious(name: str, content: bytes) -> Iterator[str]:
    for what, shape in SHAPES.items():
        for found in re.findall(shape, content):
            if not PLACEHOLDER.fullmatch(found):
                yield f"{what}: {found.decode(errors='replace')}"
    if name.startswith(MADE_BY_PROGRAMS) or b"\0" in content[:1000]:
        return
    for found in MIXED.findall(content):
        mixed = all(re.search(kind, found) for kind in (rb"\d", rb"[A-Z]", rb"[a-z]"))
        if mixed and bits(found) > MOST_BITS:
            yield f"a random word: {found.decode()}"


def test_the_repository_holds_no_secret() -> None:
    found = [
        f"{name}: {what}"
        for name in tracked()
        for what in suspicious(name, (ROOT / name).read_bytes())
        if name not in ALLOWED or not re.search(ALLOWED[name], what.partition(": ")[2].encode())
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "TWILIO_ACCOUNT_SID=AC" + "8f3b" * 8, "-----BEGIN RSA PRIVATE KEY-----", "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "aB3d" * 9, "redis://critter:Tr0ub4dor@cache:6379", "KEY = 'q9Xv2LmZt7RfYw3KpBnD5sHjGc8EaUoV1i0x'",
    ],
)  # fmt: skip
def test_the_scanner_would_see_one(planted: str) -> None:
    assert list(suspicious("docs/x.md", planted.encode()))


def test_no_secret_stands_in_files_that_are_not_to_be_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {".env", "var"} <= {line.strip("/") for line in ignored}


def test_redis_holds_names_of_jobs_and_nothing_else(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After rings, answers, and a drain that failed with somebody's number and words in its error."""

    def failing() -> None:
        failed.append(True)
        raise ValueError("cannot send kumquat to +14155550177, kim@demo.example")

    failed: list[bool] = []
    monkeypatch.setattr("workers.deliver.drain_sms", failing)
    monkeypatch.setattr("critter.processes.rq_worker.listen_while_idle", lambda *_: None)
    monkeypatch.setattr(DrainWorker, "_install_signal_handlers", lambda _: None)
    notifier = WorkerNotifier(redis_url)
    for name in DRAINS:
        notifier.notify(name, job=True)
    notifier.answered("inbound")
    with redis.Redis.from_url(redis_url) as client:
        before = [(key, client.dump(key) or b"") for key in client.keys("*")]
        DrainWorker(StubContext(notifier), "sms", client).work(burst=True, logging_level="CRITICAL")  # type: ignore[arg-type]
        after = [(key, client.dump(key) or b"") for key in client.keys("*")]
    assert failed
    assert before
    assert not [key for key, value in before + after if SECRET.search(key) or SECRET.search(value)]
    assert not [key for key, value in after if b"Traceback" in value]


@pytest.mark.parametrize("key", ["", "secret", "k" * 40, "changeme" * 5, "0123456" * 6, "ab" * 40])
def test_live_mode_starts_with_no_default_or_made_up_secret(tmp_path: Path, key: str) -> None:
    good = {**LIVE, "CRITTER_VAR": str(tmp_path)}
    load(good)
    with pytest.raises(SettingsError, match="CRITTER_SECRET_KEY"):
        load({**good, "CRITTER_SECRET_KEY": key})
    with pytest.raises(SettingsError, match="CRITTER_SECRET_KEY"):  # nor beside a good one, which only signs
        load({**good, "CRITTER_SECRET_KEY": f"{LIVE['CRITTER_SECRET_KEY']},{key or 'x'}"})


@pytest.mark.parametrize("name", ["CRITTER_SECRET_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"])
def test_live_mode_needs_secrets_of_its_own(tmp_path: Path, name: str) -> None:
    """What simulated mode makes up by itself is never taken for a real one."""
    simulated = load({"CRITTER_VAR": str(tmp_path)})
    assert simulated.secret_keys
    with pytest.raises(SettingsError, match=name):
        load({key: value for key, value in {**LIVE, "CRITTER_VAR": str(tmp_path)}.items() if key != name})


def test_no_setting_shows_a_secret_when_it_is_printed(tmp_path: Path) -> None:
    tokens = {"TWILIO_AUTH_TOKEN": "twilio-token-1,twilio-token-2", "CRITTER_METRICS_TOKEN": "metrics-token-0123456789"}
    settings = load({**LIVE, **tokens, "CRITTER_VAR": str(tmp_path)})
    for secret in (*settings.secret_keys, *settings.twilio_auth_tokens, "metrics-token", "p%40ss", "p@ss"):
        assert secret not in repr(settings)
        assert secret not in str(settings)
