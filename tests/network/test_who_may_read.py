"""Who may read what, after any history (R49): the real code on the real database against a model of thirty lines.

People follow, join, leave, are taken out, block, say things to everyone, to a group, to some; pass on, answer, like,
undo; a group is closed and opened. After each step the model says of every post and person whether it may be read,
and everything that gives words away is held against that: the rule, what leaves, answers, links, reactions.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

import handlers
from critter.explain.text import build_registry
from gateway.doors.web import post_page
from gateway.inbound.commands import CommandRegistry
from gateway.network.audience import visibility
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.database import claim_mode
from gateway.store.tables import Account, Address, Post, PostRecipient, Reaction
from tests.support.one_transaction import deliver, roll_back_after, tell, tried
from tests.support.web_process import changed

assert handlers.MODULES

PEOPLE = ("ada", "ben", "cy", "dee", "eve")
GROUPS = {"vault": "closed", "plaza": "open", "news": "broadcast"}  # ada owns each
WORDS = re.compile(r"word\d{4}")

person = st.sampled_from(PEOPLE)
group = st.sampled_from(tuple(GROUPS))


@dataclass
class Said:
    """One post as the model knows it."""

    author: str
    words: str
    kind: str
    group: str | None = None
    readers: frozenset[str] = frozenset()  # of a direct one
    repeats: "Said | None" = None
    gone: bool = False

    @property
    def first(self) -> "Said":
        """What it repeats, or itself."""
        return self.repeats or self


@dataclass
class Model:
    """The rule, written down from the design and not from the code."""

    access: dict[str, str] = field(default_factory=lambda: dict(GROUPS))
    members: dict[str, set[str]] = field(default_factory=lambda: {name: {"ada"} for name in GROUPS})
    blocks: set[tuple[str, str]] = field(default_factory=set)
    said: dict[int, Said] = field(default_factory=dict)

    def parted(self, one: str, other: str) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks

    def reads(self, reader: str, post: Said) -> bool:
        if post.gone or self.parted(reader, post.author):
            return False
        if post.repeats and not self.reads(reader, post.repeats):
            return False
        if reader == post.author or post.kind == "company":
            return True
        if post.kind == "direct":
            return reader in post.readers
        return self.access[post.group or ""] != "closed" or reader in self.members[post.group or ""]

    def words_for(self, reader: str) -> set[str]:
        return {post.words for post in self.said.values() if self.reads(reader, post)}


class Talk(RuleBasedStateMachine):
    """Set by the test: the database and the registry. It counts the posts that were held against the model, and those
    of them that left, over all of its examples."""

    engine: Engine
    registry: CommandRegistry
    posts = left = 0

    def __init__(self) -> None:
        super().__init__()
        self.opened = roll_back_after(self.engine)
        self.session: Session = self.opened.__enter__()
        self.model, self.number = Model(), 0
        self.reactions: set[tuple[int, str]] = set()
        self.last: dict[str, int | None] = dict.fromkeys(PEOPLE)  # the post that `undo` would take back
        claim_mode(self.session, "simulated")
        self.ids: dict[str, int] = {}
        self.at: dict[str, Address] = {}
        for number, name in enumerate(PEOPLE, 101):
            self.ids[name] = accounts.create_person(self.session, name, f"{name.title()} Lee").id
            self.at[name] = addresses.add(self.session, self.ids[name], "sms", f"+1415555{number:04}")
            self.at[name].introduced_at = func.now()
        for name, access in GROUPS.items():
            made = accounts.create_group(self.session, name, name.title(), access, self.ids["ada"], by_text=True)
            self.ids[name] = made.id
        self.names = {number: name for name, number in self.ids.items()}
        self.session.flush()
        for who, whom in pairwise((*PEOPLE, *PEOPLE[:1])):  # so that what they say leaves
            self.tell(who, f"follow {whom}")

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    def tell(self, who: str, words: str) -> str:
        self.last[who] = None
        return tell(self.session, self.registry, self.at[who].address, words).answer or ""

    def fresh(self) -> str:
        self.number += 1
        return f"word{self.number:04}"

    def written(self, who: str, words: str) -> Post | None:
        """The post that these words became, if any; the model learns it, and what leaves is held against it."""
        mine = select(Post).where(Post.author_id == self.ids[who]).order_by(Post.id.desc()).limit(1)
        row = self.session.scalars(mine).first()
        if row is None or row.id in self.model.said or words not in row.text:
            return None
        readers = self.session.scalars(select(PostRecipient.account_id).where(PostRecipient.post_id == row.id))
        repeated = self.model.said[row.repeat_of] if row.repeat_of else None
        where = self.names[row.group_id] if row.group_id else None
        people = frozenset(self.names[each] for each in readers)
        self.model.said[row.id] = Said(who, words, row.visibility, where, people, repeated)
        self.last[who] = row.id
        Talk.posts += 1
        return row

    @rule(who=person)
    def says_to_everyone(self, who: str) -> None:
        answer = self.tell(who, words := self.fresh())
        row = self.written(who, words)
        if row is None:  # after something private it is asked about first
            self.tell(who, "DROP")
        else:  # after something from a group it may be for the group alone, and says so
            assert (row.visibility != "company") == answer.startswith("Only ")

    @rule(who=person, where=group)
    def says_in_a_group(self, who: str, where: str) -> None:
        self.tell(who, f"#{where} {(words := self.fresh())} #tag")
        row = self.written(who, words)
        may = who in self.model.members[where] if self.model.access[where] == "closed" else True
        may = who == "ada" if self.model.access[where] == "broadcast" else may
        assert (row is not None) == may
        assert row is None or (row.visibility, row.group_id) == ("group", self.ids[where])

    @rule(who=person, whom=person)
    def says_privately(self, who: str, whom: str) -> None:
        self.tell(who, f"d {whom} {(words := self.fresh())} @eve #tag")
        row = self.written(who, words)
        assert (row is not None) == (who != whom and not self.model.parted(who, whom))
        assert row is None or self.model.said[row.id].readers == {whom}

    @rule(who=person, where=group)
    def says_privately_to_a_group(self, who: str, where: str) -> None:
        inside = self.model.members[where] if self.model.access[where] != "broadcast" else {"ada"}
        self.tell(who, f"d {where} {(words := self.fresh())}")
        row = self.written(who, words)
        assert row is None or self.model.access[where] != "closed" or who in inside
        assert row is None or self.model.said[row.id].readers == inside - {who}

    @rule(who=person)
    def answers_the_last(self, who: str) -> None:
        self.tell(who, f"r {(words := self.fresh())}")
        row = self.written(who, words)
        if row is None:
            return
        answered = self.model.said[row.in_reply_to or 0]
        assert self.model.reads(who, answered)
        if answered.kind == "direct":
            assert (row.visibility, self.model.said[row.id].readers) == ("direct", {answered.author})
        elif answered.kind == "group" and row.visibility == "direct":  # a listener's word to those who post there
            assert self.model.said[row.id].readers == {"ada"}
        else:
            assert (row.visibility, row.group_id) == (answered.kind, self.ids.get(answered.group or ""))

    @rule(who=person)
    def passes_on(self, who: str) -> None:
        before = set(self.model.said)
        self.tell(who, "rt")
        newest = select(Post).where(Post.author_id == self.ids[who]).order_by(Post.id.desc()).limit(1)
        row = self.session.scalars(newest).first()
        if row is None or row.id in before or row.repeat_of is None:
            return
        passed = self.model.said[row.repeat_of]
        assert self.model.reads(who, passed)
        assert passed.kind == "company" or self.model.access[passed.group or ""] != "closed"
        assert passed.kind != "direct"
        assert self.written(who, passed.words)

    @rule(who=person, data=st.data())
    def likes_what_it_quotes(self, who: str, data: st.DataObject) -> None:
        if self.model.said:
            post = data.draw(st.sampled_from(sorted(self.model.said)))
            row = self.session.get_one(Post, post)
            self.tell(who, f"Liked “{row.text}”")
        found = {(row.post_id, self.names[row.account_id]) for row in self.session.scalars(select(Reaction))}
        for number, by in found - self.reactions:
            assert self.model.reads(by, self.model.said[number])
        self.reactions = found

    @precondition(lambda self: any(self.last.values()))
    @rule(data=st.data())
    def takes_back(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from([name for name in PEOPLE if self.last[name]]))
        gone = self.model.said[self.last[who] or 0]
        self.tell(who, "undo")
        gone.gone = True
        for post in self.model.said.values():
            post.gone |= post.repeats is gone

    @rule(who=person, whom=person)
    def follows_a_person(self, who: str, whom: str) -> None:
        self.tell(who, f"follow {whom}")

    @rule(who=person)
    def follows_a_tag(self, who: str) -> None:
        self.tell(who, "follow #tag")

    @rule(who=person, where=group)
    def joins(self, who: str, where: str) -> None:
        self.tell(who, f"join {where}")
        if self.model.access[where] != "closed":
            self.model.members[where].add(who)

    @rule(who=person, where=group)
    def is_let_in(self, who: str, where: str) -> None:
        if follows.approve(self.session, self.ids[who], self.ids[where]):
            self.model.members[where].add(who)

    @rule(who=person, where=group)
    def leaves(self, who: str, where: str) -> None:
        if who != "ada":
            self.tell(who, f"leave {where}")
            self.model.members[where].discard(who)

    @rule(who=person, where=group)
    def is_taken_out(self, who: str, where: str) -> None:
        if who != "ada":
            follows.unfollow(self.session, self.ids[who], self.ids[where])
            self.model.members[where].discard(who)

    @rule(who=person, whom=person)
    def blocks(self, who: str, whom: str) -> None:
        if who != whom:
            self.tell(who, f"block {whom}")
            self.model.blocks.add((who, whom))

    @rule(who=person, whom=person)
    def ends_a_block(self, who: str, whom: str) -> None:
        if (who, whom) in self.model.blocks:
            self.tell(who, f"on {whom}")
            self.model.blocks.discard((who, whom))

    @rule(who=person, whom=person)
    def mutes(self, who: str, whom: str) -> None:
        if who != whom and (who, whom) not in self.model.blocks:
            self.tell(who, f"mute {whom}")

    @rule(close=st.booleans())
    def closes_the_plaza(self, close: bool) -> None:
        self.session.get_one(Account, self.ids["plaza"]).access = self.model.access["plaza"] = (
            "closed" if close else "open"
        )
        self.session.flush()

    @rule(who=person, about=st.sampled_from((*PEOPLE, *GROUPS)))
    def asks_for_words(self, who: str, about: str) -> None:
        """What commands give away: words that may be read now, or one's own."""
        known = self.model.words_for(who) | {post.words for post in self.model.said.values() if post.author == who}
        known |= {post.words for post in self.model.said.values() if who == "ada" and post.group}  # their owner
        for words in (f"get 10 {about}", "get 10 #tag", f"who got {about}", "who got it", "why", f"like {about}"):
            given = set(WORDS.findall(tried(self.session, self.registry, self.at[who].address, words)))
            assert given <= known, words
        listed = tried(self.session, self.registry, self.at[who].address, f"get 10 {about}")
        private = {post.words for post in self.model.said.values() if post.kind == "direct"}
        assert not private & set(WORDS.findall(listed))

    @rule(who=person)
    def opens_links(self, who: str) -> None:
        for number, post in self.model.said.items():
            page = post_page.page(self.session, number, self.at[who].id)
            shown = page is not None and post.words in page.text
            assert shown == (self.model.reads(who, post) and post.kind != "direct")

    @rule(who=person, other=person)
    def is_suspended_for_a_while(self, who: str, other: str) -> None:
        """What they wrote, and what others pass on of it, is on its way meanwhile."""
        if who == other:
            return
        self.passes_on(other)
        accounts.suspend(self.session, self.ids[who])
        self.session.expire_all()
        assert self.tell(who, words := self.fresh()) == ""
        assert self.written(who, words) is None
        theirs = {number for number, post in self.model.said.items() if who in (post.author, post.first.author)}
        for post, address in deliver(self.session):
            assert post not in theirs
            assert address != self.at[who].id
            Talk.left += post != 0
        for reader in set(PEOPLE) - {who}:
            shown = WORDS.findall(tried(self.session, self.registry, self.at[reader].address, f"get 10 {other}"))
            assert not {self.model.said[number].words for number in theirs} & set(shown)
            for number in theirs:
                page = post_page.page(self.session, number, self.at[reader].id)
                assert page is None or self.model.said[number].words not in page.text
        assert post_page.page(self.session, min(self.model.said, default=0), self.at[who].id) is None
        accounts.restore(self.session, self.ids[who])
        self.session.expire_all()

    @invariant()
    def nothing_leaves_for_who_may_not_read_it(self) -> None:
        for post, address in deliver(self.session):
            reader = next((name for name in PEOPLE if self.at[name].id == address), None)
            assert post == 0 or self.model.reads(reader or "", self.model.said[post]), (reader, post)
            Talk.left += post != 0

    @invariant()
    def the_rule_is_the_models(self) -> None:
        rows = self.session.execute(
            select(Post.id, Account.id).join(Account, text("true")).where(visibility.readable_by(Account.id))
        )
        found = {(post, self.names[account]) for post, account in rows if self.names[account] in PEOPLE}
        wanted = {
            (number, name)
            for number, post in self.model.said.items()
            for name in PEOPLE
            if self.model.reads(name, post)
        }
        assert found == wanted


@pytest.fixture
def registry(settings: Settings) -> CommandRegistry:
    return build_registry(changed(settings, CRITTER_HOLD_SECONDS="0"))


@pytest.mark.hypothesis
@pytest.mark.timeout(900)  # `make torture` plays more of them
def test_nobody_reads_what_is_not_for_them(engine: Engine, registry: CommandRegistry) -> None:
    Talk.engine, Talk.registry = engine, registry
    run_state_machine_as_test(
        Talk,
        settings=bounds(
            max_examples=5 if bounds().derandomize else 40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    assert Talk.posts >= 10
    assert Talk.left >= 10
