"""What differs between channels stands in gateway/channels: nobody else compares their names or repeats their facts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.attention.ways import WAYS
from gateway.channels import CHANNELS

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("gateway", "handlers", "workers", "critter", "migrations", "simulator")
NAMES: Final = tuple(name for name in CHANNELS if name not in WAYS)  # a way may be called as its channel is
SQL_NAME: Final = re.compile(rf"'(?:{'|'.join(NAMES)})'")

# Where a channel's name may be written out, because what stands there is about texts or about mails alone: a mail is
# decoded, a phone is verified, a number is retired, a price is counted. Everything else asks gateway/channels. New
# places need a reason as good; a fact about a channel is none.
FOLDERS: Final = (
    "gateway/carriers/",
    "gateway/doors/sms/",
    "gateway/doors/smtp/",
    "gateway/mail/",
    "gateway/network/mail/",
    "gateway/inbound/",  # reads one text or one mail
    "gateway/language/",  # the grammar of texts and of mails
    "gateway/network/people/imports/",  # the columns phone and email
    "migrations/versions/",
    "simulator/",
)
FILES: Final = {
    "gateway/channels.py": "where the names are defined",
    "gateway/doors/web/shell/page_pieces.py": "the icon of each door through which an update came",
    "gateway/doors/web/sign_in/company_provider.py": "the claim of OpenID Connect that names a mailbox",
    "gateway/ledger/audit/budget_rules.py": "what texts cost",
    "gateway/ledger/audit/rules.py": "ids of texts",
    "gateway/ledger/inbox/inbox.py": "the proof of a mail's sender",
    "gateway/ledger/money/daily_text_counts.py": "how many texts somebody has got",
    "gateway/ledger/money/spend_breaker.py": "what texts cost",
    "gateway/ledger/operations/erasure.py": "ids of texts",
    "gateway/ledger/operations/retention.py": "ids of texts at Twilio",
    "gateway/ledger/outbox/claims.py": "the Message-ID that a mail answers",
    "gateway/ledger/outbox/email_fallback.py": "a mail instead of a text",
    "gateway/ledger/outbox/in_doubt.py": "texts that may have left",
    "gateway/ledger/senders/senders.py": "the numbers that texts leave from",
    "gateway/network/audience/phone_estimate.py": "how many phones get a text",
    "gateway/network/inspect/people_list.py": "one column for phones, one for mailboxes",
    "gateway/network/people/export.py": "bodies of mails",
    "gateway/network/people/listings.py": "one column for phones, one for mailboxes",
    "gateway/network/people/welcomes.py": "the welcome by text",
    "gateway/network/receipts/author_reports.py": "mails that are late",
    "gateway/network/verification/number_lifecycle.py": "phones that were silent for long",
    "gateway/queue/jobs.py": "jobs of the version before",
    "workers/effects/alarms.py": "mails that came back",
    "critter/demo/company.py": "posts of the demo company",
    "critter/demo/pretend_followers.py": "phones of the demo company",
    "critter/demo/tour/telling.py": "how many texts were sent",
}
# What people can do: both folders together. This count only goes down.
ACTIONS: Final = ("handlers/", "gateway/actions/")
MOST_IN_ACTIONS: Final = 27


def sources() -> Iterator[tuple[str, Path]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".sql"):
                yield str(path.relative_to(ROOT)), path


def written_names(path: Path) -> int:
    """How often a channel's name is written out in a file: as a string of Python, or within SQL."""
    text = path.read_text()
    if path.suffix == ".sql":
        return len(SQL_NAME.findall(text))
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    words = [each for each in strings if isinstance(each, str)]
    return sum((each in NAMES) + len(SQL_NAME.findall(each)) for each in words)


def test_names_are_written_out_only_where_texts_or_mails_are_meant() -> None:
    found = {name for name, path in sources() if written_names(path)}
    wrong = {name for name in found if not name.startswith((*FOLDERS, *ACTIONS)) and name not in FILES}
    assert wrong == set(), "ask gateway/channels, or say in this test why it is about texts or mails alone"


def test_the_list_of_those_places_is_current() -> None:
    found = {name for name, path in sources() if written_names(path)}
    assert set(FILES) - found == set(), "these need no entry any more"


def test_what_people_can_do_names_fewer_and_fewer() -> None:
    found = sum(written_names(path) for name, path in sources() if name.startswith(ACTIONS))
    assert found <= MOST_IN_ACTIONS


# An order by the column itself, as SQL and as SQLAlchemy write it, and names that Python sorts or compares.
BY_ALPHABET: Final = re.compile(
    r"\bchannel (?:ASC|DESC)\b|ORDER BY [^()\n]*\bchannel\b(?! =)"
    r"|\bchannel\.(?:asc|desc)\(|order_by\([^()]*\bchannel[,)]"
    r"|\b(?:sorted|min|max)\((?![^\n]*\brank\b)[^\n\[)]*\bchannels?\b(?!\[)"
    r"|\bchannel\b *[<>]=? *(?:\w+\.)?channel\b"
)


@pytest.mark.parametrize(
    "line",
    [
        "ORDER BY is_primary DESC, channel DESC LIMIT 1",
        "ORDER BY channel",
        "mine.order_by(Address.channel.desc(), Address.id)",
        "mine.order_by(Address.channel)",
        "for channel in sorted(channels):",
        "best = max(one.channel for one in found)",
        "if one.channel > other.channel:",
        "WHERE a.channel > b.channel",
    ],
)
def test_an_order_by_alphabet_is_found(line: str) -> None:
    assert BY_ALPHABET.search(line)


@pytest.mark.parametrize(
    "line",
    [
        'ORDER BY {rank("channel")} DESC LIMIT 1',
        "mine.order_by(rank_of(Address.channel).desc(), Address.id)",
        "GROUP BY channel, state",
        "for channel in by_rank(channels):",
    ],
)
def test_an_order_by_rank_is_none(line: str) -> None:
    assert not BY_ALPHABET.search(line)


def test_no_order_of_channels_by_alphabet() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BY_ALPHABET.search(line) and not line.lstrip().startswith("#")
    ]
    assert found == []


# How long a delivery is tried, written out somewhere else.
TIMES: Final = re.compile(r"interval '(?:4 hours|14400 seconds|172800 seconds)'|GIVES_UP|timedelta\(hours=4\)")


def test_give_up_times_stand_once() -> None:
    found = [name for name, path in sources() if path.suffix == ".py" and TIMES.search(path.read_text())]
    assert found == ["gateway/channels.py"]
