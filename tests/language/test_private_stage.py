"""Secrets on the real database: whatever people type, a secret is seen by its writer and those they named alone."""

import random
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, select

from gateway.network.audience.visibility import readable_by
from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Post
from tests.support import conversation_player, personas
from tests.support.office import Office

PHONES = [person.handle for person in personas.PEOPLE if person.phone]
PEOPLE = [person.handle for person in personas.PEOPLE]
GROUPS = {"acme": ["kim", "sam"], "sales": ["pat"], "dispatch": ["dana"], "board": ["anne", "dave"]}
NOBODY = ["zzyzx", "samm", "kmi", "dnaa", "slaes", "chris", "me", "at"]
VERBS = ["d", "D", "dm", "Msg:", "pm,", "d.", "\uff44", "\u200bd", "/d", "d\u200e"]
GLUED = ["d{}", "d-{}", "D{}:", "dm{}", "dd {}", "s {}", "(d) {}", "- d {}", "f {}", "D.M. {}"]
ANSWERS = ["1", "2", "3", "9", "DROP", "POST", "ok", "undo", "oops", "more", "rt", "like", "why"]
SCENES, TEXTS = 4, 10


@dataclass
class Stage:
    """One scene: who may know which secret, and which of them their writer made public."""

    office: Office
    rng: random.Random
    allowed: dict[str, set[str]] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def secret(self, writer: str, *others: str) -> str:
        word = f"zq{len(self.allowed):03}x"
        self.allowed[word], self.writers[word] = {writer, *others}, writer
        return word

    def says(self, who: str, words: str) -> None:
        self.said.append(f"{who} > {words}")
        self.office.says(who, words)
        if self.rng.random() < 0.8:  # sometimes the workers are slow, and several texts wait
            self.office.work()

    def row(self, statement: str, who: str) -> tuple[object, ...] | None:
        rows = self.office.sql(statement, phone=next(each.phone for each in personas.PEOPLE if each.handle == who))
        return tuple(rows[0]) if rows else None


QUESTION = """
    SELECT c.question -> 'choices', c.question -> 'words', coalesce(d.text, '')
    FROM conversations c JOIN addresses a ON a.id = c.address_id
    LEFT JOIN drafts d ON d.id = CAST(c.question -> 'about' ->> 'draft' AS bigint)
    WHERE a.address = :phone AND c.question IS NOT NULL AND c.expires_at > now()
"""
LAST = """
    SELECT p.visibility, author.handle, g.handle FROM deliveries d JOIN addresses a ON a.id = d.address_id
    JOIN messages m ON m.id = d.message_id JOIN posts p ON p.id = m.post_id AND p.deleted_at IS NULL
    JOIN accounts author ON author.id = p.author_id LEFT JOIN accounts g ON g.id = p.group_id
    WHERE a.address = :phone AND d.sent_at > now() - interval '29 minutes' ORDER BY d.sent_at DESC LIMIT 1
"""


def whom(named: str) -> list[str]:
    return GROUPS.get(named, [named])


def to_named(stage: Stage, who: str) -> None:
    """Everyone in the list is somebody: they, and nobody else."""
    names = stage.rng.sample([*PEOPLE, *GROUPS], stage.rng.randint(1, 2))
    word = stage.secret(who, *(person for name in names for person in whom(name)))
    long = " words" * stage.rng.choice([0, 0, 30])
    stage.says(who, f"{stage.rng.choice(VERBS)} {','.join(names)} {word}{long}")
    if long:
        half = stage.secret(who, *stage.allowed[word])
        stage.says(who, stage.rng.choice(["and {}", ".{}", '"{}', "#sales {}", "@pat {}", "/on {}"]).format(half))


def to_nobody(stage: Stage, who: str) -> None:
    """Somebody in the list is unknown, or two."""
    names = [*stage.rng.sample(PEOPLE, stage.rng.randint(0, 1)), stage.rng.choice(NOBODY)]
    stage.says(who, f"{stage.rng.choice(VERBS)} {','.join(names)} {stage.secret(who)}")


def slipped(stage: Stage, who: str) -> None:
    name = stage.rng.choice([*PEOPLE, *GROUPS])
    stage.says(who, f"{stage.rng.choice(GLUED).format(name)} {stage.secret(who)}")


def bare(stage: Stage, who: str) -> None:
    """What it belongs to is known when all that waited is read."""
    stage.office.work()
    visibility, author, group = stage.row(LAST, who) or ("company", "", None)
    if visibility == "direct":
        start = stage.rng.choice(["see", "on", "ok", "leave", "r", f"@{author}"])
        stage.says(who, f"{start} {stage.secret(who, str(author))}")
    elif group == "dispatch" and who == "bob":
        stage.says(who, f"{stage.rng.choice(['yes', 'r', 'on the', 'leaving'])} {stage.secret(who, 'dana')}")
    else:
        stage.says(who, "on the way to the gate")


def answer(stage: Stage, who: str) -> None:
    """A digit gives the words to whom it stands for; POST gives them to everyone."""
    stage.office.work()
    word = stage.rng.choice(ANSWERS)
    choices, words, draft = stage.row(QUESTION, who) or ([], [], "")
    assert isinstance(choices, list)
    assert isinstance(words, list)
    told = [secret for secret in stage.allowed if secret in str(draft)]
    if word.isdigit() and int(word) <= len(choices):
        chosen = stage.office.sql("SELECT handle FROM accounts WHERE id = :id", id=choices[int(word) - 1]["id"])
        for secret in told:
            stage.allowed[secret].update(whom(str(chosen[0][0])))
            stage.allowed[secret].update(*(whom(name) for name in [*PEOPLE, *GROUPS] if f"{name}," in str(draft)))
    if word == "POST" and word in words:
        stage.published.update(told)
    stage.says(who, word)


def in_public(stage: Stage, who: str) -> None:
    stage.says(who, stage.rng.choice(["#sales hello", "@kim hello", "lunch is served", "follow kim", "#acme hello"]))
    stage.says("dana", "#dispatch who is at the gate?")


def time_passes(stage: Stage, who: str) -> None:
    seconds = stage.rng.choice([3, 11, 400, 1900])
    stage.said.append(f"({seconds} seconds later)")
    conversation_player._let_pass(
        conversation_player.Stage(stage.office.engine, stage.office.registry), str(seconds), "seconds"
    )
    stage.office.work()


ACTS = [to_named, to_named, to_nobody, slipped, bare, bare, answer, answer, in_public, time_passes]


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Office:
    office = Office(engine, settings)
    office.assemble()
    with transaction(engine) as session:
        for handle in ("chrisa", "chrisb"):
            accounts.create_person(session, handle, f"Chris {handle[-1].upper()}")
        for follower in PEOPLE:  # whatever were public would reach people
            for author in PEOPLE:
                ids = [accounts.by_handle(session, handle) for handle in (follower, author)]
                assert ids[0]
                assert ids[1]
                if follower != author:
                    follows.follow(session, ids[0].id, ids[1].id, True)
    return office


@pytest.mark.parametrize("seed", range(SCENES))
def test_a_secret_is_seen_by_those_named_alone(office, seed):
    stage = Stage(office, random.Random(seed))
    for _ in range(TEXTS):
        who = stage.rng.choice(PHONES)
        for _ in range(stage.rng.randint(1, 3)):
            stage.rng.choice(ACTS)(stage, who)
    office.work()
    time_passes(stage, "kim")
    found = leaks(stage)
    assert not found, "\n".join(found)


def leaks(stage: Stage) -> list[str]:
    secrets = [secret for secret in stage.allowed if secret not in stage.published]
    found = [
        leak for secret in secrets for leak in (*posted(stage, secret), *carried(stage, secret), *kept(stage, secret))
    ]
    return [*found, *stage.said] if found else []


def posted(stage: Stage, secret: str) -> list[str]:
    """By the one rule of who may read what, and by what a post says of itself."""
    with transaction(stage.office.engine) as session:
        having = select(Post.visibility, Account.handle).join(Account, Account.kind == "person")
        rows = session.execute(having.where(Post.text.contains(secret), readable_by(Account.id))).all()
        open_ = session.scalars(select(Post.text).where(Post.text.contains(secret), Post.visibility != "direct")).all()
    readers = [f"@{handle} may read {secret}" for _, handle in rows if handle not in stage.allowed[secret]]
    return [*readers, *(f"public: {words}" for words in open_)]


CARRIED = """
    SELECT m.kind, p.handle FROM messages m JOIN deliveries d ON d.message_id = m.id AND d.state <> 'cancelled'
    JOIN addresses a ON a.id = d.address_id JOIN accounts p ON p.id = a.account_id
    WHERE concat(m.text, m.subject, m.body) LIKE '%' || :secret || '%'
"""
KEPT = """
    SELECT 'a draft', p.handle FROM drafts d JOIN accounts p ON p.id = d.account_id
    WHERE d.text LIKE '%' || :secret || '%'
    UNION ALL SELECT 'a talk', p.handle FROM conversations c JOIN addresses a ON a.id = c.address_id
    JOIN accounts p ON p.id = a.account_id
    WHERE concat(c.question, c.half) LIKE '%' || :secret || '%'
    UNION ALL SELECT 'a rest', p.handle FROM remainders r JOIN addresses a ON a.id = r.address_id
    JOIN accounts p ON p.id = a.account_id
    WHERE r.text LIKE '%' || :secret || '%'
"""


def carried(stage: Stage, secret: str) -> list[str]:
    """Copies on the road: answers go to the writer alone."""
    rows = stage.office.sql(CARRIED, secret=secret)
    wrong = [(kind, who) for kind, who in rows if who not in stage.allowed[secret]]
    wrong += [(kind, who) for kind, who in rows if kind != "update" and who != stage.writers[secret]]
    return [f"{kind} with {secret} went to @{who}" for kind, who in wrong]


def kept(stage: Stage, secret: str) -> list[str]:
    rows = stage.office.sql(KEPT, secret=secret)
    return [f"{what} of @{who} has {secret}" for what, who in rows if who != stage.writers[secret]]
