"""`who about`: whoever is named wrote the words where everyone may read them, and nobody is named because of anything
else. A naive reader of the tables says the same."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from gateway.language.track_phrases import tokens
from gateway.network.audience import visibility
from gateway.network.follows import follows, mutes
from gateway.network.people import accounts, discoverability
from gateway.network.posts import author_search, posts
from gateway.network.posts.author_search import find_authors
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from gateway.store.tables import Account, Post, Tag
from tests.network.test_visibility import Company, silence

WORDS = ("acme", "crates", "invoice", "board", "forklift")
TOPICS = (*WORDS, "acme board", "#win")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def found(session: Session, asker: Account, topic: str) -> dict[int, int]:
    people = find_authors(session, asker, topic, 1000)
    assert people is not None
    return {person.id: person.posts for person in people}


def names(session: Session, asker: Account, topic: str) -> list[str]:
    people = find_authors(session, asker, topic, 1000)
    assert people is not None
    return [person.name for person in people]


class NaiveReader:
    """Reads every row of every table into Python, and knows nothing of the statement that is tried."""

    def __init__(self, session: Session) -> None:
        session.flush()
        session.expire_all()
        self.posts = session.scalars(select(Post)).all()
        self.accounts = {account.id: account for account in session.scalars(select(Account))}
        self.tags = {(row.post_id, row.tag) for row in session.scalars(select(Tag))}
        blocks = "SELECT account_id, other_id FROM silences WHERE kind = 'block'"
        self.blocks = {tuple(row) for row in session.execute(text(blocks))}
        self.shy = set(session.scalars(text("SELECT account_id FROM attention WHERE NOT connects")))

    def found(self, asker: Account, topic: str) -> dict[int, int]:
        hits: dict[int, int] = {}
        for post in self.posts:
            if self._is_open(post) and self._has(post, topic) and self._may_be_named(asker, post.author_id):
                hits[post.author_id] = hits.get(post.author_id, 0) + 1
        return hits

    def _is_open(self, post: Post) -> bool:
        if post.deleted_at or post.repeat_of or datetime.now(UTC) - post.created_at > timedelta(days=365):
            return False
        if post.visibility == "group":
            return self.accounts[post.group_id or 0].access in ("open", "broadcast")
        return post.visibility == "company"

    def _has(self, post: Post, topic: str) -> bool:
        if topic.startswith("#"):
            return (post.id, topic[1:]) in self.tags
        return set(topic.split()) <= set(tokens(post.text))

    def _may_be_named(self, asker: Account, author_id: int) -> bool:
        apart = {(asker.id, author_id), (author_id, asker.id)} & self.blocks
        named = author_id not in {asker.id, *self.shy} and not apart
        return named and self.accounts[author_id].state == "active"


def everything(company: Company, dice: random.Random, closed: Account, news: Account) -> list[Post]:
    """Everybody says several things: to everyone, in three groups, in private, and passes on what others said."""
    said: list[Post] = []
    for author in company.people:
        follows.follow(company.session, author.id, closed.id, True, role="member")
        follows.follow(company.session, author.id, news.id, True, role="poster")
        for group in (None, company.group, closed, news):
            said.append(company.says(author, _sentence(dice), group))
        other = dice.choice([person for person in company.people if person is not author])
        company.tells(author, _sentence(dice), other)
        first = dice.choice([post for post in said if post.author_id != author.id] or [None])
        if first is not None:
            said.append(company.says(author, "", repeats=first))
    return said


def _sentence(dice: random.Random) -> str:
    words = dice.sample(WORDS, dice.randint(1, 3))
    return " ".join(dice.choice([word, word.upper(), f"{word},"]) for word in words) + dice.choice(["", " #win", "!"])


def disturb(company: Company, dice: random.Random, said: Sequence[Post], groups: Sequence[Account]) -> None:
    """What may happen later: taken back, moved, aged, blocked, muted, left, closed, opened, not to be found."""
    session = company.session
    for post in dice.sample(list(said), 12):
        posts.retract(session, post)
    for post in dice.sample([each for each in said if each.group_id], 12):
        moved = {"group_id": dice.choice(groups).id} if dice.random() < 0.7 else {"visibility": "direct"}
        session.execute(update(Post).where(Post.id == post.id).values(moved))
    for post in dice.sample(list(said), 6):
        old = func.now() - timedelta(days=400)
        session.execute(update(Post).where(Post.id == post.id).values(created_at=old))
    for _ in range(25):
        one, other = dice.sample(company.people, 2)
        silence(session, one, other, dice.choice(["block", "mute"]))
    for person in dice.sample(company.people, 3):
        discoverability.put(session, person.id, False)
    accounts.suspend(session, company.people[3].id)
    accounts.deactivate(session, company.people[4].id)
    for group in dice.sample(list(groups), 2):
        group.access = dice.choice(["open", "closed", "broadcast"])
    session.flush()
    session.expire_all()


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_named_but_for_words_that_everyone_may_read(session: Session, seed: int) -> None:
    dice = random.Random(seed)
    company = Company(session, 16)
    closed = accounts.create_group(session, "board", "Board", "closed")
    news = accounts.create_group(session, "news", "News", "broadcast")
    said = everything(company, dice, closed, news)
    hits = 0
    for disturbed in (False, True):
        if disturbed:
            disturb(company, dice, said, [company.group, closed, news])
        naive = NaiveReader(session)
        for asker in company.people:
            for topic in TOPICS:
                named = found(session, asker, topic)
                assert named == naive.found(asker, topic), (asker.name, topic)
                hits += len(named)
    assert hits > 500


def test_whoever_is_named_wrote_something_that_the_asker_may_read(session: Session) -> None:
    """The same by the one rule who may read a post, which the statement does not ask."""
    dice = random.Random(11)
    company = Company(session, 12)
    closed = accounts.create_group(session, "board", "Board", "closed")
    news = accounts.create_group(session, "news", "News", "broadcast")
    disturb(company, dice, everything(company, dice, closed, news), [company.group, closed, news])
    for asker in company.people:
        if asker.state != "active":
            continue
        for author_id, count in found(session, asker, "acme").items():
            theirs = session.scalars(select(Post).where(Post.author_id == author_id, Post.text.ilike("%acme%"))).all()
            assert sum(visibility.may_read(session, asker.id, post.id) for post in theirs) >= count


def test_the_order_is_by_posts_and_by_age(session: Session) -> None:
    company = Company(session, 5)
    asker, once, twice, long_ago, last_year = company.people
    for author, number, days in ((once, 1, 0), (twice, 2, 10), (long_ago, 3, 270), (last_year, 9, 366)):
        for _ in range(number):
            post = company.says(author, "acme")
            post.created_at = datetime.now(UTC) - timedelta(days=days)
    session.flush()
    assert names(session, asker, "acme") == [twice.name, once.name, long_ago.name]


def test_only_the_newest_thousand_count(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company(session, 3)
    asker, early, late = company.people
    company.says(early, "acme")
    rows = [{"author_id": late.id, "visibility": "company", "text": "acme", "via": "cli"}] * author_search.NEWEST
    session.execute(Post.__table__.insert(), rows)
    assert found(session, asker, "acme") == {late.id: author_search.NEWEST}


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("the ACME's contract", "acme"),
        ("the acme contract", "ACME's"),
        ("two meetings today", "meeting"),
        ("one meeting today", "meetings"),
        ("gate 4/5 of acme.com", "acme"),
        ("mail to kim@acme.example", "acme"),
        ("see https://acme.example/board?x=1", "board"),
        ("the board-meeting", "board meeting"),
        ("the board meeting", "board-meeting"),
        ("the board meeting", '"board meeting"'),
        ("<b>acme</b> & co", "acme"),
        ("+5 -7 k12", "k12"),
        ("caf\u00e9 au lait", "cafe"),
        ("cafe au lait", "Caf\u00c9"),
        ("acme\u2014signed", "acme"),
        ("\u201cacme\u201d", "acme"),
        ("acme\U0001f389", "acme"),
        ("\u4eca\u5929\u4f1a\u8bae", "\u4f1a\u8bae"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442 \u0441\u043a\u043b\u0430\u0434", "\u0441\u043a\u043b\u0430\u0434"),
        ("who about acme", "who about acme"),
    ],
)
def test_words_are_found_however_they_are_written(session: Session, said: str, topic: str) -> None:
    company = Company(session, 2)
    asker, author = company.people
    company.says(author, said)
    assert names(session, asker, topic) == [author.name]


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("a meeting of the board", '"board meeting"'),
        ("the acmeville road", "acme"),
        ("acme", "acme board"),
        ("\u8bae\u4f1a", "\u4f1a\u8bae"),
        ("acme", "#acme"),
        ("acme", "& | !"),
        ("acme", "' ' OR"),
    ],
)
def test_other_words_are_not_found(session: Session, said: str, topic: str) -> None:
    company = Company(session, 2)
    asker, author = company.people
    company.says(author, said)
    assert names(session, asker, topic) == []


def test_each_language_is_stemmed_by_its_own_rules(session: Session) -> None:
    """The words of a post by its language, else its author's; what is searched by the asker's. As written, always."""
    company = Company(session, 4)
    english, spanish, german, other = company.people
    spanish.language, german.language, other.language = "es-MX", "de", "xx"
    session.flush()
    company.says(spanish, "las reuniones de hoy")
    company.says(german, "viele H\u00e4user")
    company.says(other, "lang:es los camiones")
    assert names(session, english, "reuniones") == [spanish.name]
    spanish_too = company._person(9)
    spanish_too.language = "es"
    session.flush()
    assert names(session, spanish_too, "reunion") == [spanish.name]
    assert names(session, spanish_too, "cami\u00f3n") == [other.name]


def test_a_search_leaves_the_session_as_it_was(settings: Settings, engine: Engine) -> None:
    workers = connect(settings.database_url, by_key=True)
    shown = text("SELECT current_setting('statement_timeout'), current_setting('enable_bitmapscan')")
    with transaction(workers) as session:
        company = Company(session, 2)
        company.says(company.people[1], "acme")
        before = tuple(session.execute(shown).one())
        company.people[0].title = "Buyer"  # not flushed yet
        assert found(session, company.people[0], "acme") == {company.people[1].id: 1}
        assert tuple(session.execute(shown).one()) == before
        assert company.people[0].title == "Buyer"
    workers.dispose()
    with transaction(engine) as session:
        assert session.scalars(select(Account.title).where(Account.title.is_not(None))).all() == ["Buyer"]


def test_what_takes_too_long_is_given_up_and_the_transaction_goes_on(engine: Engine) -> None:
    with transaction(engine) as session:
        asker = Company(session, 2).people[0]
    with engine.begin() as other, transaction(engine) as session:
        other.execute(text("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE"))
        assert find_authors(session, asker, "acme", 3) is None
        assert session.scalar(select(func.count()).select_from(Account)) == 3


def test_the_index_is_used_by_workers(settings: Settings) -> None:
    """Their planner is told to look up by keys, and must not read a year of posts instead."""
    workers = connect(settings.database_url, by_key=True)
    with transaction(workers) as session:
        session.execute(text("SELECT set_config('enable_bitmapscan', 'on', true)"))
        plan = "\n".join(session.scalars(text("""
            EXPLAIN SELECT id FROM posts WHERE search @@ 'acme'::tsquery AND created_at > now() - interval '1 year'
        """)))  # fmt: skip
    workers.dispose()
    assert "posts_by_search" in plan


def search_of(session: Session, post: Post) -> str | None:
    return session.scalar(text("SELECT CAST(search AS text) FROM posts WHERE id = :id"), {"id": post.id})


def test_nothing_stays_of_what_is_taken_back_and_nothing_is_kept_of_what_is_private(session: Session) -> None:
    company = Company(session, 2)
    author, other = company.people
    post, private = company.says(author, "acme"), company.tells(author, "acme", other)
    again = company.says(other, "", repeats=post)
    assert "acme" in (search_of(session, post) or "")
    assert search_of(session, private) is None
    assert search_of(session, again) is None
    session.execute(text("UPDATE posts SET text = 'the crates' WHERE id = :id"), {"id": post.id})
    assert "acme" not in (search_of(session, post) or "")
    assert "crate" in (search_of(session, post) or "")
    session.execute(text("UPDATE posts SET lang = 'es' WHERE id = :id"), {"id": post.id})
    assert "'crat':" in (search_of(session, post) or "")
    session.execute(text("UPDATE posts SET search = 'stolen'::tsvector WHERE id = :id"), {"id": post.id})
    assert "stolen" not in (search_of(session, post) or "")
    posts.retract(session, post)
    assert search_of(session, post) is None
    kept = company.says(author, "acme")
    session.execute(text("UPDATE posts SET visibility = 'direct' WHERE id = :id"), {"id": kept.id})
    assert search_of(session, kept) is None


def test_a_mute_hides_nobody(session: Session) -> None:
    """Whom they mute they do not get; they may ask them all the same."""
    company = Company(session, 2)
    asker, author = company.people
    company.says(author, "acme")
    silence(session, asker, author, "mute")
    assert names(session, asker, "acme") == [author.name]
    mutes.block(session, author.id, asker.id)
    assert names(session, asker, "acme") == []
