"""Every command by every role (R49): what is private, and what a closed group says, changes no answer to an outsider.

The same commands are asked twice, in a company without secrets and in the same one with them. The answers to whoever
may not know them must be the same, letter by letter: words, names, counts, choices, errors. New commands are asked by
themselves, for they are taken from the table.
"""

import re
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import handlers
from critter.explain.text import build_registry
from gateway.inbound.commands import TABLE, CommandRegistry
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.database import claim_mode
from tests.support.examples import each
from tests.support.one_transaction import deliver, roll_back_after, tell, tried
from tests.support.web_process import changed

assert handlers.MODULES

SECRETS = ("zanzibar", "kumquat", "mango")
# who may know nothing of it: never in the group, out of it again, asking to be let in, parted by a block, and who runs
# the installation, whose role gives them nothing to read by text
OUTSIDERS = ("sam", "left", "asked", "blocker", "chief")
OTHERS = OUTSIDERS[1:]
PHONES = {name: f"+1415555{number:04}" for number, name in enumerate(("kim", "quentin", "anne", *OUTSIDERS), 101)}
PLACES = {
    "NAME[,NAME…]": ("kim", "vault", "kim,vault"), "NAME": ("kim", "vault"), "PERSON": ("kim",),
    "GROUP": ("vault",), "#TAG": ("#zebra",), "COUNT": ("5",), "TOPIC": ("zebra",), "text": ("hello",),
    "ITEM": ("A1",), "ADDRESS": ("quentin@demo.example",), "VERB": ("who",), "CODE": ("123456",), "for": ("1d",),
}  # fmt: skip
MORE = [
    "hello", "@kim hello", "@quentin hello", "#vault hello", "#zebra", "vault: hello", "vault", "kim", "quill", "quen",
    "quentn", "valt", "OK", "1", "Liked “zanzibar 7 #zebra”", "👍", "get 5 quill", "who got quentin", "A1 yes",
    "B hello", "get quentin", "whois quentin", "stats quentin", "who quentin", "follow quentin", "nudge quentin",
    "d quentin hello",
]  # fmt: skip
ABOUT = re.compile("kim|vault|quen|zebra|^(?:hello|1|like|rt|why|who got|stats|followers|more)$")
CLOCK = re.compile(r"\d\d:\d\d")  # minutes pass while this is asked
SAID_OF_ITSELF = ("login", "link", "undo", "oops")  # new codes each time


def commands() -> list[str]:
    """Every usage of every verb, its places filled with whom and what the secrets are about."""
    found = list(MORE)
    for verb in TABLE.verbs:
        for usage in verb.usages:
            bare = re.sub(r" ?\[[^\]]*\]", "", usage) if "NAME[,NAME" not in usage else usage
            whole = re.sub(r"[\[\]]", "", usage) if "NAME[,NAME" not in usage else usage
            for form in dict.fromkeys((bare, whole)):
                found += _filled(form)
    return list(dict.fromkeys(found))


def _filled(form: str) -> list[str]:
    place = next((place for place in PLACES if re.search(rf"(?<!\w){re.escape(place)}(?!\w)", form)), None)
    if place is None:
        return [form]
    return [words for value in PLACES[place] for words in _filled(form.replace(place, value, 1))]


@pytest.fixture
def registry(settings: Settings) -> CommandRegistry:
    return build_registry(changed(settings, CRITTER_HOLD_SECONDS="0"))


def company(session: Session, registry: CommandRegistry) -> None:
    """People, an open and a closed group, and what everybody may know of them."""
    claim_mode(session, "simulated")
    ids = {}
    for name, phone in PHONES.items():
        made = accounts.create_person(session, name, "Quill Quentin" if name == "quentin" else f"{name.title()} Lee")
        ids[name] = made.id
        address = addresses.add(session, made.id, "sms", phone)
        session.execute(text("UPDATE addresses SET introduced_at = now() WHERE id = :id"), {"id": address.id})
        if name == "chief":
            accounts.set_role(session, made.id, "admin")
    vault = accounts.create_group(session, "vault", "Vault", "closed", ids["anne"], by_text=True)
    accounts.create_group(session, "plaza", "Plaza", "open")
    follows.follow(session, ids["left"], vault.id, by_text=True, role="member")
    follows.unfollow(session, ids["left"], vault.id)
    follows.follow(session, ids["asked"], vault.id, by_text=True)
    tell(session, registry, PHONES["blocker"], "block kim")
    for name in ("sam", "left", "chief"):
        tell(session, registry, PHONES[name], "follow kim")
        tell(session, registry, PHONES[name], "follow #zebra")
    tell(session, registry, PHONES["kim"], "good morning")
    deliver(session)


def secrets(session: Session, registry: CommandRegistry) -> None:
    """What outsiders must not know: who is in the closed group, what is said there and between two."""
    ids = {name: accounts.by_handle(session, name).id for name in PHONES}
    vault = accounts.by_handle(session, "vault").id
    for name in ("kim", "quentin"):
        follows.follow(session, ids[name], vault, by_text=True, role="member")
    for name, words in (
        ("kim", "#vault zanzibar 7 #zebra @sam @quentin"),
        ("kim", "d quentin kumquat, and not a word to @sam"),
        ("quentin", "d kim mango"),
        ("quentin", "#vault mango @left"),
        ("kim", "d vault kumquat for the #zebra"),
        ("quentin", "like kim"),
        ("anne", "#vault zanzibar again"),
        ("anne", "d kim mango once more"),
    ):
        tell(session, registry, PHONES[name], words)
        deliver(session)


def asked(session: Session, registry: CommandRegistry, who: str) -> dict[str, str]:
    """The answers; of all that names nothing, one outsider's are enough. Of what names something each of the others
    is asked another part."""
    words: Sequence[str] = [said for said in commands() if said not in SAID_OF_ITSELF]
    if who != "sam":
        words = [said for said in words if ABOUT.search(said)]
    if who in OTHERS:
        words = each(len(OTHERS), words, first=OTHERS.index(who))
    return {said: CLOCK.sub("", tried(session, registry, PHONES[who], said)) for said in words}


@pytest.mark.repeats
@pytest.mark.timeout(400)
def test_secrets_change_no_answer_to_an_outsider(engine: Engine, registry: CommandRegistry) -> None:
    with roll_back_after(engine) as session:
        company(session, registry)
        before = {who: asked(session, registry, who) for who in OUTSIDERS}
        insider = {words: tried(session, registry, PHONES["anne"], words) for words in ("get 5 vault", "who vault")}
        secrets(session, registry)
        for who in OUTSIDERS:
            now = asked(session, registry, who)
            changed_ = {words: (before[who][words], now[words]) for words in now if now[words] != before[who][words]}
            assert not changed_, who
            assert not {words for words, said in now.items() for one in SECRETS if one in said and one not in words}
        told = {words: tried(session, registry, PHONES["anne"], words) for words in insider}
        assert told != insider  # the group's own people hear of it: the test can fail
        assert "zanzibar again" in told["get 5 vault"]


def test_no_text_of_it_ever_left_for_an_outsider(engine: Engine, registry: CommandRegistry) -> None:
    """Neither the words nor a note about them, by fan-out, mention, tag, answer or notice."""
    with roll_back_after(engine) as session:
        company(session, registry)
        before = sent_to(session)
        secrets(session, registry)
        after = sent_to(session)
        for who in OUTSIDERS:
            assert after.get(who) == before.get(who), who
        assert any("kumquat" in said for said in after["quentin"])


def sent_to(session: Session) -> dict[str, list[str]]:
    rows = session.execute(
        text(
            "SELECT p.handle, m.text || m.subject || m.body FROM deliveries d JOIN messages m ON m.id = d.message_id"
            " JOIN addresses a ON a.id = d.address_id JOIN accounts p ON p.id = a.account_id WHERE d.state = 'sent'"
            " ORDER BY m.id"
        )
    )
    found: dict[str, list[str]] = {}
    for handle, words in rows:
        found.setdefault(handle, []).append(words)
    return found


def test_an_insider_who_goes_knows_nothing_new(engine: Engine, registry: CommandRegistry) -> None:
    """After leaving, being taken out, or blocking: what comes next changes no answer; and what was heard is not given
    again by any command."""
    with roll_back_after(engine) as session:
        company(session, registry)
        secrets(session, registry)
        ids = {name: accounts.by_handle(session, name).id for name in PHONES}
        vault = accounts.by_handle(session, "vault").id
        follows.unfollow(session, ids["quentin"], vault)
        tell(session, registry, PHONES["quentin"], "block kim")
        before = asked(session, registry, "quentin")
        for words in ("#vault zanzibar 8 @quentin", "#vault mango #zebra 9"):
            tell(session, registry, PHONES["kim"], words)
            tell(session, registry, PHONES["anne"], words)
            deliver(session)
        assert asked(session, registry, "quentin") == before
        given = {words: said for words, said in before.items() for one in ("zanzibar", "kumquat") if one in said}
        assert not given
