"""`critter check mail`: each DNS record in each state, and a mail that goes out by a relay and comes in at our door."""

import json
import smtplib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from critter.doctor import mail as checking_mail
from critter.doctor import mail_dns
from critter.doctor.mail_dns import Ask, Record
from gateway.carriers.smtp import check
from gateway.errors import Refused
from gateway.network.mail import mail_addresses
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from tests.support.mail_process import opened
from tests.support.office import Office
from tests.support.relays import Mail, Papers, Rules, enforcing, giving_tokens, papers

KEY = "v=DKIM1; k=rsa; p=" + "A" * 300
GOOD = {
    ("mail.example", "MX"): ["10 critter.example."],
    ("mail.example", "TXT"): ["google-site-verification=x", "v=spf1 include:_spf.google.com -all"],
    ("google._domainkey.mail.example", "TXT"): [KEY],
    ("_dmarc.mail.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:dmarc@mail.example"],
}


def zone(records: Mapping[tuple[str, str], Sequence[str]]) -> Ask:
    return lambda name, kind: records.get((name, kind), ())


@pytest.fixture
def google(settings: Settings) -> Settings:
    more = {"smtp_profile": "google-ip", "public_url": "https://critter.example"}
    return settings.model_copy(update={**more, "smtp_relay": "smtp+starttls://smtp-relay.gmail.com:587"})


@pytest.fixture
def plain(settings: Settings) -> Settings:
    return settings.model_copy(update={"smtp_relay": "smtp://relay.corp.example:25"})


def found(settings: Settings, more: Mapping[tuple[str, str], Sequence[str]], *selectors: str) -> dict[str, Record]:
    """By type; the TXT records by what they are."""
    rows = list(mail_dns.records(settings, zone({**GOOD, **more}), selectors))
    kinds = {"v=spf1": "SPF", "v=DKIM1;": "DKIM", "v=DMARC1;": "DMARC"}
    return {kinds.get(row.value.split()[0], row.type): row for row in rows}


def test_all_is_there(google: Settings) -> None:
    rows = found(google, {})
    assert {kind: row.state for kind, row in rows.items()} == dict.fromkeys(("MX", "SPF", "DKIM", "DMARC", "PTR"), "ok")
    assert rows["SPF"].value == "v=spf1 include:_spf.google.com -all"
    assert rows["MX"].value == "10 critter.example."


@pytest.mark.parametrize(
    ("name", "kind", "there", "row", "state", "note"),
    [
        ("mail.example", "MX", [], "MX", "missing", "routing rule in Google's admin console"),
        ("mail.example", "MX", ["0 ."], "MX", "wrong", "takes no mail"),
        ("mail.example", "MX", ["1 smtp.google.com."], "MX", "ok", "must hand it on to our door"),
        ("mail.example", "TXT", ["something else"], "SPF", "missing", "enter it"),
        ("mail.example", "TXT", ["v=spf1 mx -all"], "SPF", "wrong", "add include:_spf.google.com before"),
        ("mail.example", "TXT", ["v=spf1 include:_spf.google.com +all"], "SPF", "wrong", "everybody"),
        ("mail.example", "TXT", ["v=spf1 -all", "v=spf1 include:_spf.google.com -all"], "SPF", "wrong", "there are 2"),
        ("mail.example", "TXT", ["v=spf1 " + "include:a.example " * 11 + "-all"], "SPF", "wrong", "lookups"),
        ("google._domainkey.mail.example", "TXT", [], "DKIM", "missing", "console makes it"),
        ("google._domainkey.mail.example", "TXT", ["v=DKIM1; p="], "DKIM", "wrong", "revoked"),
        ("_dmarc.mail.example", "TXT", [], "DMARC", "missing", "p=none to begin with"),
        ("_dmarc.mail.example", "TXT", ["v=DMARC1; rua=mailto:a@b.example"], "DMARC", "wrong", "no policy"),
        ("_dmarc.mail.example", "TXT", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "DMARC", "wrong", "several"),
    ],
)
def test_what_is_missing_or_wrong(google, name, kind, there, row, state, note) -> None:
    record = found(google, {(name, kind): there})[row]
    assert (record.state, note in record.note) == (state, True), record


def test_the_policy_of_a_domain_above_counts(google: Settings) -> None:
    below = google.model_copy(update={"mail_domain": "critter.corp.example"})
    rows = found(below, {("_dmarc.corp.example", "TXT"): ["v=DMARC1; p=quarantine"]})
    assert (rows["DMARC"].state, rows["DMARC"].note) == ("ok", "v=DMARC1; p=quarantine (of corp.example)")


def test_a_fixed_senders_domain_is_asked(settings: Settings) -> None:
    oauth = {"smtp_profile": "m365-oauth", "smtp_from": "critter@corp.example"}
    rows = list(mail_dns.records(settings.model_copy(update=oauth), zone({})))
    assert [row.name for row in rows[:5]] == [
        "mail.example",
        "corp.example",
        "selector1._domainkey.corp.example",
        "selector2._domainkey.corp.example",
        "_dmarc.corp.example",
    ]
    assert rows[1].value == "v=spf1 include:spf.protection.outlook.com -all"


@pytest.mark.parametrize(
    ("spf", "state", "note"),
    [
        ("v=spf1 a:relay.corp.example -all", "ok", ""),
        ("v=spf1 ip4:93.184.215.0/24 -all", "ok", ""),
        ("v=spf1 include:corp.example -all", "ok", "its owner knows"),
        ("v=spf1 ip4:192.0.2.1 -all", "wrong", "add a:relay.corp.example"),
    ],
)
def test_a_plain_relay_and_spf(plain: Settings, spf: str, state: str, note: str) -> None:
    there = {("mail.example", "TXT"): [spf], ("relay.corp.example", "A"): ["93.184.215.14"]}
    record = found(plain, there)["SPF"]
    assert (record.state, note in record.note) == (state, True)


@pytest.mark.parametrize(
    ("address", "pointer", "back", "state"),
    [
        ("93.184.215.14", ["out.corp.example."], ["93.184.215.14"], "ok"),
        ("93.184.215.14", [], [], "missing"),
        ("93.184.215.14", ["out.corp.example."], ["93.184.215.15"], "wrong"),
        ("10.1.2.3", [], [], "not asked"),
    ],
)
def test_a_plain_relays_own_name(plain, address, pointer, back, state) -> None:
    there = {
        ("relay.corp.example", "A"): [address],
        ("14.215.184.93.in-addr.arpa.", "PTR"): pointer,
        ("out.corp.example", "A"): back,
    }
    assert found(plain, there)["PTR"].state == state


def test_own_keys_are_looked_for(plain: Settings) -> None:
    rows = found(plain, {("c2026-rsa._domainkey.mail.example", "TXT"): [KEY]}, "c2026-rsa")
    assert rows["DKIM"].state == "ok"
    assert found(plain, {})["DKIM"].state == "not asked"


def test_dns_that_is_away_is_one_line(google: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    def away(name: str, kind: str) -> Sequence[str]:
        raise Refused("DNS does not answer (LifetimeTimeout): look at this machine's resolver")

    context = google.model_copy(update={"smtp_relay": "smtp://127.0.0.1:1"})
    assert checking_mail.run(context, ask=away, patience=0) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("wrong      DNS")]
    assert [line for line in lines if line.startswith("wrong      relay")]


# Round by a relay


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def looped(
    settings: Settings, free_port: Callable[[], int], trusted: Papers, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Its relay is at that port."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.pem))
    return settings.model_copy(update={"smtp_relay": f"smtp+starttls://127.0.0.1:{free_port()}"})


def back_to(settings: Settings) -> Callable[[Mail], None]:
    def deliver(mail: Mail) -> None:
        host, port = settings.smtp_listen
        with smtplib.SMTP(host, port, timeout=5) as door:
            door.sendmail(mail.sender, [mail.recipient], mail.content)

    return deliver


def checked(settings: Settings, capsys: pytest.CaptureFixture[str], **more: object) -> tuple[int, dict[str, Record]]:
    code = checking_mail.run(settings, as_json=True, **more)
    return code, {row["type"]: Record(**row) for row in json.loads(capsys.readouterr().out)}


def _port(settings: Settings) -> int:
    return int(settings.smtp_relay.rpartition(":")[2])


def test_a_mail_goes_round(office: Office, looped, trusted, capsys) -> None:
    """It is accepted, dropped as a machine's, and nobody is answered."""
    rules = Rules(deliver=back_to(looped))
    with opened(looped), enforcing(rules, trusted.server, _port(looped)) as judge:
        code, rows = checked(looped, capsys)
    assert (code, rows["round trip"].state) == (0, "ok"), rows
    assert rows["round trip"].note.startswith("a mail through the relay was back at our door after")
    assert (rows["relay"].state, rows["door"].state) == ("ok", "ok")
    assert rows["relay"].note == "127.0.0.1 takes our mail (TLSv1.3, no login, EHLO mail.example)"
    assert {row.state for row in rows.values()} == {"ok", "not asked"}
    [mail] = judge.mails
    kept = mail_addresses.read(mail.recipient.partition("@")[0], Signer(looped.secret_keys))
    assert kept is not None
    assert (kept.kind, kept.ids[0]) == ("bounce", 0)
    office.work()
    assert office.sql("SELECT state FROM inbound") == [("dropped",)]
    assert office.sql("SELECT count(*) FROM deliveries") == [(0,)]


def test_a_mail_goes_round_with_a_fixed_sender(office: Office, looped, trusted, capsys) -> None:
    box = "critter@corp.example"
    with giving_tokens() as tokens:
        mine = looped.model_copy(
            update={
                "smtp_profile": "m365-oauth",
                "smtp_from": box,
                "m365_client_id": "an-application",
                "m365_client_secret": "its-secret",
                "m365_token_url": tokens.url,
            }
        )
        rules = Rules("m365", senders=(box,), tokens=tokens, user=box, deliver=back_to(mine))
        with opened(mine), enforcing(rules, trusted.server, _port(mine)):
            code, rows = checked(mine, capsys)
        assert (code, rows["round trip"].state) == (0, "ok"), rows
        assert (
            "all mails leave as critter@corp.example; 3 connections, 30 mails a minute, 10,000" in rows["profile"].note
        )
        assert rows["relay"].note.endswith("(TLSv1.3, by a token, EHLO corp.example)")
        tokens.useless = True
        with enforcing(rules, trusted.server, _port(mine)):
            assert "refuses our token" in said_by(mine)
    office.work()
    assert office.sql("SELECT count(*) FROM deliveries") == [(0,)]


def said_by(settings: Settings) -> str:
    with pytest.raises(Refused) as refused:
        check.greets(settings)
    return refused.value.text


def test_a_mail_that_does_not_come_back(office: Office, looped, trusted, capsys) -> None:
    with opened(looped), enforcing(Rules(), trusted.server, _port(looped)):
        code, rows = checked(looped, capsys, patience=0.3)
    assert code == 1
    assert rows["round trip"].state == "wrong"
    assert rows["round trip"].note.startswith(
        "the relay took it as 1, and it did not come in within 0.3 s: look for it"
    )


def test_a_mail_that_is_refused(office: Office, looped, trusted, capsys) -> None:
    with enforcing(Rules("m365", known=False), trusted.server, _port(looped)):
        code, rows = checked(looped, capsys, send_to="kim@corp.example")
    assert code == 1
    assert rows["round trip"].note.startswith("the relay did not take it (550 5.7.64, MAIL 5.7.64): Exchange Online")
    assert rows["test mail"].note == rows["round trip"].note
    assert rows["door"].note.endswith("start critter mail, or look at CRITTER_SMTP_LISTEN")


def test_a_test_mail_to_somebody(office: Office, looped, trusted, capsys) -> None:
    rules = Rules(deliver=lambda mail: back_to(looped)(mail) if mail.recipient.endswith("mail.example") else None)
    with opened(looped), enforcing(rules, trusted.server, _port(looped)) as judge:
        code, rows = checked(looped, capsys, send_to="kim@corp.example")
    assert code == 0
    assert rows["test mail"].note.startswith("the relay took it as 1, <critter.doctor.check.")
    mail = judge.mails[1].parsed
    assert (mail["To"], mail["Auto-Submitted"], mail["X-Critter-Id"]) == (
        "kim@corp.example",
        "auto-generated",
        "mail.example",
    )


def test_the_command_itself(office: Office, looped, trusted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRITTER_SMTP_RELAY", looped.smtp_relay)
    monkeypatch.setenv("CRITTER_SMTP_LISTEN", "{}:{}".format(*looped.smtp_listen))
    rules = Rules(deliver=back_to(looped))
    with opened(looped), enforcing(rules, trusted.server, _port(looped)):
        ran = office.critter("check", "mail")
    assert ran.exit_code == 0, ran.output
    assert "not asked  TXT        mail.example" in ran.output
    assert "v=spf1 ip4:127.0.0.1 -all" in ran.output
    assert office.critter("check", "post").exit_code == 2
    monkeypatch.setenv("CRITTER_MAIL", "off")
    assert office.critter("check", "mail").output == "CRITTER_MAIL is off: there is nothing to check\n"
