"""Unproved mails in the worker: what DNS proves is let in, in order, whatever hangs or dies."""

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

from gateway.ledger.inbox import unauthenticated
from gateway.mail.auth.dns import DnsUnavailable, Zone
from gateway.network.mail import sender_verdicts
from gateway.store.database import transaction
from tests.support.signed_mails import signed, write_mail
from tests.support.unproved_mails import BY_DEMO, DEMO, ELSEWHERE, KIM, arrives, change, posts, row, states
from workers import mail_auth
from workers.upkeep import lease_sweeper


def test_what_dmarc_proves_is_read(office, context):
    one = arrives(office, signed(write_mail(KIM, body="the crates are here"), "demo.example"))
    assert row(office, one)[0] == "unproved"
    assert office.read() is False
    mail_auth.step(context)
    state, proof, reason, trusted, recipients, attempt, _ = row(office, one)
    assert (state, proof, reason, trusted, recipients, attempt) == (
        "new", "dmarc", None, True, ["post@mail.example"], 0,
    )  # fmt: skip
    office.read()
    assert posts(office) == ["the crates are here"]


def test_spf_proves_too(office, context):
    one = arrives(office, write_mail(KIM), BY_DEMO)
    mail_auth.step(context)
    assert row(office, one)[:2] == ("new", "dmarc")


def test_dns_that_is_silent_is_asked_again_and_is_never_a_yes(office, context):
    vars(context)["resolver"] = Zone(DEMO | {("_dmarc.demo.example", "TXT"): DnsUnavailable("silent")})
    one = arrives(office, signed(write_mail(KIM, body="late"), "demo.example"))
    mail_auth.step(context)
    state, proof, _, _, _, attempt, not_before = row(office, one)
    assert (state, proof, attempt) == ("unproved", None, 0)
    assert not_before is not None
    mail_auth.step(context)
    assert row(office, one)[6] == not_before
    change(office, "UPDATE inbound SET not_before = now()")
    vars(context)["resolver"] = Zone(DEMO)
    mail_auth.step(context)
    assert row(office, one)[:2] == ("new", "dmarc")
    assert row(office, one)[6] is None


def test_silence_for_an_hour_holds_it(office, context):
    vars(context)["resolver"] = Zone(DEMO | {("_dmarc.demo.example", "TXT"): DnsUnavailable("silent")})
    one = arrives(office, signed(write_mail(KIM), "demo.example"))
    change(office, "UPDATE inbound SET received_at = now() - interval '61 minutes'")
    mail_auth.step(context)
    assert row(office, one)[:2] == ("held", "asked")
    assert "the DNS of demo.example does not answer" in row(office, one)[2]


def test_a_hanging_server_keeps_only_its_own_mail(office, context):
    hanging, freed = threading.Event(), threading.Event()

    class Hanging(Zone):
        def ask(self, name, kind):
            if name.endswith("slow.example"):
                hanging.set()
                assert freed.wait(20)
            return super().ask(name, kind)

    vars(context)["resolver"] = Hanging(DEMO)
    for number in range(12):
        arrives(office, write_mail(f"n{number}@slow.example"), sender=f"n{number}@slow.example")
    working = threading.Thread(target=mail_auth.step, args=(context,))
    working.start()
    assert hanging.wait(10)
    one = arrives(office, signed(write_mail(KIM), "demo.example"))
    try:
        for _ in range(200):
            if row(office, one)[0] == "new":
                break
            threading.Event().wait(0.05)
        assert row(office, one)[0] == "new"
        assert states(office).count("unproved") == 12
    finally:
        freed.set()
        working.join(30)
    assert states(office).count("dropped") == 12


def test_a_senders_mails_keep_their_order(office, context):
    numbers = [arrives(office, signed(write_mail(KIM, body=f"{n} and more"), "demo.example")) for n in range(4)]
    with transaction(office.engine) as session:
        first = unauthenticated.claim(session, "one", timedelta(seconds=60), 10, 10)
        second = unauthenticated.claim(session, "two", timedelta(seconds=60), 10, 10)
    assert [each.id for each in first] == numbers[:1]
    assert second == []
    with transaction(office.engine) as session:
        unauthenticated.release(session, first)
    mail_auth.step(context)
    office.read()
    assert posts(office) == [f"{n} and more" for n in range(4)]


def test_a_worker_that_dies_gives_its_mail_to_the_next(office, context):
    one = arrives(office, signed(write_mail(KIM), "demo.example"))
    late = None
    for crash in range(3):
        with transaction(office.engine) as session:
            found = unauthenticated.suspect(session, "dead", timedelta(seconds=60)) if crash else None
            found = found or unauthenticated.claim(session, "dead", timedelta(seconds=60), 1, 0)[0]
            late = late or found
        mail_auth.step(context)
        assert row(office, one)[0] == "unproved"
        change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
        if crash == 1:
            with transaction(office.engine) as session:
                standing = mail_auth._climb(
                    context.settings, context.resolver, sender_verdicts.case(session, context.signer, late)
                )
                lost = sender_verdicts.settle(
                    session, context.signer, sender_verdicts.case(session, context.signer, late), standing
                )
            assert lost == ("lost", frozenset())
    lease_sweeper.sweep(context)
    assert row(office, one)[:3] == ("held", None, unauthenticated.LOST)
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]


def test_one_crash_is_forgiven(office, context):
    one = arrives(office, signed(write_mail(KIM), "demo.example"))
    with transaction(office.engine) as session:
        unauthenticated.claim(session, "dead", timedelta(seconds=60), 1, 0)
    change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
    mail_auth.step(context)
    assert row(office, one)[:2] == ("new", "dmarc")


def test_kill_9_in_the_middle_loses_and_doubles_nothing(office, context):
    """The worker is killed while it waits for a silent DNS; the next one goes on when its lease is over."""
    one = arrives(office, signed(write_mail(KIM, body="once"), "demo.example"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        given = {
            field.alias: getattr(office.settings, name) for name, field in type(office.settings).model_fields.items()
        }
        environ = {
            "CRITTER_DNS": f"127.0.0.1:{silent.getsockname()[1]}",
            **{name: str(given[name]) for name in ("CRITTER_DATABASE_URL", "CRITTER_REDIS_URL", "CRITTER_VAR")},
        }
        work = "from critter.processes.workers import build; from gateway.settings import load;"
        work += "from workers import mail_auth; mail_auth.step(build(load(), 'proving'))"
        victim = subprocess.Popen([sys.executable, "-c", work], env={**os.environ, **environ})
        assert silent.recv(4096)  # it asks: it is in the middle
        victim.kill()
        victim.wait(10)
    state, proof, _, _, _, attempt, _ = row(office, one)
    assert (state, proof, attempt) == ("unproved", None, 1)
    mail_auth.step(context)
    assert row(office, one)[0] == "unproved"  # it is leased still
    change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
    mail_auth.step(context)
    office.read()
    assert (row(office, one)[0], posts(office)) == ("done", ["once"])


def test_the_same_signed_mail_in_another_envelope_is_held(office, context):
    """Whoever was sent it can send it once more, and its signature holds."""
    mail = signed(write_mail(KIM, body="once"), "demo.example")
    arrives(office, mail)
    mail_auth.step(context)
    arrives(office, mail, ELSEWHERE._replace(sender="b@evil.example"))
    mail_auth.step(context)
    assert states(office) == ["new", "held"]
    office.read()
    assert posts(office) == ["once"]
