"""Who gets a post: blocks, mutes, #tags and repeats in the one rule, when rows are made and when they leave."""

import random
from collections.abc import Collection, Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import fanouts
from gateway.network.audience import recipients
from gateway.network.audience import visibility as audience
from gateway.network.follows import follows, mutes, tag_follows
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Delivery, Follow, Message, Post, Silence
from tests.support.examples import many
from tests.support.refusals import refusals

PEOPLE, PAIRS = many(60, 40), many(500, 220)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


class Company:
    """People with a phone each, some with a mailbox too, and one open group."""

    def __init__(self, session: Session, number: int) -> None:
        self.session = session
        self.people = [self._person(place) for place in range(number)]
        self.group = accounts.create_group(session, "sales", "sales", "open")

    def _person(self, place: int) -> Account:
        person = accounts.create_person(self.session, f"p{place:03}", f"Person {place}")
        addresses.add(self.session, person.id, "sms", f"+1415555{place:04}")
        if place % 3 == 0:
            addresses.add(self.session, person.id, "email", f"p{place}@demo.example")
        return person

    def follow(self, follower: Account, *whom: Account, by_text: bool = True) -> None:
        for account in whom:
            follows.follow(self.session, follower.id, account.id, by_text)

    def says(self, author: Account, words: str, group: Account | None = None, repeats: Post | None = None) -> Post:
        visibility = "group" if group else "company"
        said = NewPost(author, repeats.text if repeats else words, visibility, "cli", group, repeats=repeats)
        written = posts.publish(self.session, said)
        return self.session.get_one(Post, written.id)

    def tells(self, author: Account, words: str, *whom: Account) -> Post:
        targets = [(person.id, person.id) for person in whom]
        return posts.publish(self.session, NewPost(author, words, "direct", "cli", recipients=targets))

    def spread(self, chunk: int = 100, times: int = 10**6) -> None:
        """Chunks of whatever is due, as the workers make them."""
        for _ in range(times):
            fanout = fanouts.claim(self.session)
            if fanout is None:
                return
            expanded = recipients.expand(self.session, fanout, 5, chunk)
            fanouts.advance(self.session, fanout, expanded, done=expanded.upto == recipients.END)
            self.session.expire(fanout)

    def rows(self, post: Post) -> list[tuple[int, int, int]]:
        """(message, address, person) of everything that was made of a post."""
        made = select(Delivery.message_id, Delivery.address_id, Address.account_id)
        made = made.join(Message, Message.id == Delivery.message_id).join(Address, Address.id == Delivery.address_id)
        return [tuple(row) for row in self.session.execute(made.where(Message.post_id == post.id))]

    def sent(self, post: Post) -> list[int]:
        """Who gets it when it is about to leave now, one entry for each copy."""
        made = self.rows(post)
        refused = refusals(self.session, [(message, address) for message, address, _ in made])
        return sorted(person for message, address, person in made if (message, address) not in refused)


def ids(people: Collection[Account]) -> list[int]:
    return sorted(person.id for person in people)


def silence(session: Session, one: Account, other: Account, kind: str) -> None:
    mutes.put(session, one.id, other.id, MuteSnapshot(kind, None))


def parted(silences_: Collection[tuple[int, int, str]], author: int, reader: int, group: int = 0) -> bool:
    """The rule once more, as plainly as it can be said."""
    mine = any((reader, origin, kind) in silences_ for origin in (author, group) for kind in ("block", "mute"))
    return mine or (author, reader, "block") in silences_


def everything(company: Company, dice: random.Random) -> list[tuple[Post, Account | None]]:
    """Each says something to everyone, to the group, to one by name and to one in private; some of it is passed on."""
    said: list[tuple[Post, Account | None]] = []
    for author in company.people:
        other = dice.choice([person for person in company.people if person is not author])
        said.append((company.says(author, f"hello @{other.handle} #win"), None))
        said.append((company.says(author, "lunch?", company.group), company.group))
        said.append((company.tells(author, "a word", other), None))
    for author in dice.sample(company.people, 10):
        first = dice.choice([post for post, group in said if post.visibility == "company" and not post.repeat_of])
        if first.author_id != author.id:
            said.append((company.says(author, "", repeats=first), None))
    return said


@pytest.mark.repeats
@pytest.mark.parametrize("late", [False, True], ids=["before it spreads", "after its rows were made"])
def test_of_hundreds_of_random_pairs_nobody_parted_gets_anything(session: Session, late: bool) -> None:
    dice = random.Random(5)
    company = Company(session, PEOPLE)
    for person in company.people:
        company.follow(person, *dice.sample([one for one in company.people if one is not person], 12))
        company.follow(person, company.group, by_text=dice.random() < 0.5)
        tag_follows.follow(session, person.id, "#win", dice.random() < 0.5)
    said = everything(company, dice)
    if late:
        company.spread(chunk=25)
    for _ in range(PAIRS):
        one, other = dice.sample([*company.people, company.group], 2)
        if one.kind == "person":
            silence(session, one, other, "mute" if other.kind == "group" else dice.choice(["block", "mute"]))
    company.spread(chunk=25)
    standing = {tuple(row) for row in session.execute(select(Silence.account_id, Silence.other_id, Silence.kind))}
    got = 0
    for post, group in said:
        sent = company.sent(post)
        assert len(sent) == len(set(sent))  # one copy each, however many roads
        origins = [post.author_id, *([session.get_one(Post, post.repeat_of).author_id] if post.repeat_of else [])]
        for author in origins:
            assert not any(parted(standing, author, reader, group.id if group else 0) for reader in sent)
        got += len(sent)
    assert got > 20 * PEOPLE


def test_a_block_in_a_running_fan_out_stops_what_has_not_left(session: Session) -> None:
    company = Company(session, 10)
    author, *readers = company.people
    for reader in readers:
        company.follow(reader, author)
    post = company.says(author, "hello")
    company.spread(chunk=4, times=1)
    assert len(company.sent(post)) == 4
    mutes.block(session, readers[0].id, author.id)  # its row is made
    mutes.block(session, author.id, readers[7].id)  # its row is not
    silence(session, readers[1], author, "mute")
    company.spread(chunk=4)
    assert company.sent(post) == ids(set(readers) - {readers[0], readers[1], readers[7]})
    assert len(company.rows(post)) == 8
    refused = refusals(session, [row[:2] for row in company.rows(post)])
    assert sorted(refused.values()) == ["silenced", "silenced"]


def test_a_mute_ends_by_itself(session: Session) -> None:
    company = Company(session, 2)
    author, reader = company.people
    company.follow(reader, author)
    silence(session, reader, author, "mute")
    session.execute(text("UPDATE silences SET expires_at = now() - interval '1 minute'"))
    post = company.says(author, "hello")
    assert recipients.has_readers(session, post)
    company.spread()
    assert company.sent(post) == [reader.id]


def test_a_block_is_no_rule_for_anyone_else(session: Session) -> None:
    company = Company(session, 4)
    author, blocked, reader, muting = company.people
    for one in (blocked, reader, muting):
        company.follow(one, author, company.group)
    kept = mutes.block(session, author.id, blocked.id)
    assert [follow["follower_id"] for follow in kept] == [blocked.id]
    silence(session, muting, company.group, "mute")
    first, second = company.says(author, "hello"), company.says(author, "lunch?", company.group)
    company.spread()
    assert company.sent(first) == ids([reader, muting])
    assert company.sent(second) == [reader.id]
    assert not audience.may_read(session, blocked.id, first.id)
    assert audience.may_read(session, muting.id, second.id)
    with pytest.raises(Exception, match="You cannot follow"):
        company.follow(blocked, author)
    mutes.lift(session, author.id, blocked.id)
    for follow in kept:
        follows.restore(session, follow)
    assert session.get_one(Follow, (blocked.id, author.id)).by_text
    assert audience.may_read(session, blocked.id, first.id)


def test_retracting_takes_every_repeat_along(session: Session) -> None:
    company = Company(session, 6)
    author, one, two, *readers = company.people
    company.follow(one, author)
    company.follow(two, one)
    company.follow(readers[0], one)
    company.follow(readers[1], two)
    post = company.says(author, "signed")
    company.spread()
    again = company.says(one, "", repeats=post)
    company.spread()
    once_more = company.says(two, "", repeats=post)
    assert company.sent(again) == ids([two, readers[0]])
    assert company.says(readers[2], "mine").repeat_of is None
    stopped, gone = posts.retract(session, post)
    session.expire_all()
    assert (stopped, gone) == (4, 0)  # three rows and a fan-out
    assert all(each.deleted_at for each in (post, again, once_more))
    company.spread()
    assert [company.sent(each) for each in (post, again, once_more)] == [[], [], []]
    assert not audience.may_read(session, two.id, again.id)


def test_a_repeat_goes_to_nobody_who_has_its_words(session: Session) -> None:
    company = Company(session, 5)
    author, one, two, both, new = company.people
    company.follow(both, author, one)
    company.follow(one, author)
    company.follow(author, one)
    company.follow(two, one)
    company.follow(new, one, two)
    post = company.says(author, "signed")
    company.spread()
    first = company.says(one, "", repeats=post)
    company.spread()
    second = company.says(two, "", repeats=post)
    company.spread()
    assert company.sent(post) == ids([one, both])
    assert company.sent(first) == ids([two, new])
    assert company.sent(second) == []


def test_a_repeat_is_read_and_sent_while_its_original_is(session: Session) -> None:
    company = Company(session, 3)
    author, one, reader = company.people
    company.follow(reader, one)
    post = company.says(author, "lunch?", company.group)
    again = company.says(one, "", repeats=post)
    company.spread()
    assert company.sent(again) == [reader.id]
    assert audience.may_read(session, reader.id, again.id)
    company.group.access = "closed"
    session.flush()
    assert company.sent(again) == []
    assert not audience.may_read(session, reader.id, again.id)
    entries = timelines.latest(session, author.id, timelines.by_account(one), 1)
    assert [entry.origin.author.id for entry in entries if entry.origin] == [author.id]


def test_a_repeat_waits_in_vain_while_the_first_writer_is_suspended(session: Session) -> None:
    company = Company(session, 3)
    author, one, reader = company.people
    company.follow(reader, one)
    again = company.says(one, "", repeats=company.says(author, "lunch?"))
    company.spread()
    accounts.suspend(session, author.id)
    assert company.sent(again) == []
    assert not audience.may_read(session, reader.id, again.id)
    accounts.restore(session, author.id)
    session.expire_all()
    assert company.sent(again) == [reader.id]
    assert audience.may_read(session, reader.id, again.id)


@pytest.mark.parametrize("closed", [False, True])
def test_one_statement_for_many_readers_says_what_each_asked_alone_hears(session: Session, closed: bool) -> None:
    """Of repeats, too: what parts two people, or lets one into a group, is nothing to a third."""
    company = Company(session, 6)
    author, one, member, enemy, stranger, gone = company.people
    company.follow(member, company.group)
    original, public = company.says(author, "lunch?", company.group), company.says(author, "hello")
    said = [original, public, *(company.says(one, "", repeats=post) for post in (original, public))]
    said.append(company.tells(author, "a word", stranger))
    silence(session, enemy, author, "block")
    silence(session, enemy, gone, "block")
    accounts.suspend(session, gone.id)
    company.group.access = "closed" if closed else "open"
    session.flush()
    phones = session.scalars(select(Address).where(Address.channel == "sms", Address.account_id != gone.id))
    owners = {phone.id: phone.account_id for phone in phones}
    for post in said:
        alone = {person.id for person in company.people if audience.may_read(session, person.id, post.id)}
        assert audience.readers_among(session, post.id, ids(company.people)) == alone
        cut_off = audience.find_cut_off(session, [post.id], list(owners))
        assert cut_off == {phone for phone, owner in owners.items() if owner not in alone}
    assert audience.may_read(session, stranger.id, said[2].id) != closed


def test_a_reaction_to_a_repeat_is_for_the_original(session: Session) -> None:
    company = Company(session, 3)
    author, one, reader = company.people
    post = company.says(author, "signed")
    again = company.says(one, "", repeats=post)
    assert posts.react(session, reader.id, posts.original(again), "like")
    assert posts.reaction_counts(session, [post.id, again.id]) == {post.id: {"like": 1}}


def test_a_topic_brings_a_post_once_and_to_one_address(session: Session) -> None:
    company = Company(session, 4)  # the first and the last have a mailbox too
    reader, author, other, both = company.people
    company.follow(both, author, by_text=False)
    tag_follows.follow(session, both.id, "#win", by_text=True)
    tag_follows.follow(session, reader.id, "#Win", by_text=False)
    post = company.says(author, "a customer #WIN")
    company.spread()
    assert company.sent(post) == ids([reader, both])
    channels = dict(session.execute(select(Address.account_id, Address.channel).join(
        Delivery, Delivery.address_id == Address.id)).all())  # fmt: skip
    assert channels == {reader.id: "email", both.id: "sms"}
    tag_follows.unfollow(session, reader.id, "win")
    assert company.sent(post) == [both.id]
    assert posts.sources(session, NewPost(other, "#win", "direct", "cli")) == [0]
    company.group.access = "closed"
    assert posts.sources(session, NewPost(other, "#win", "group", "cli", company.group)) == [company.group.id]


def test_a_topic_that_nobody_follows_any_more_makes_no_fan_out(session: Session) -> None:
    company = Company(session, 2)
    author, reader = company.people
    topic, _ = tag_follows.follow(session, reader.id, "#win", by_text=True)
    assert tag_follows.find_followed(session, ["win"]) == [topic]
    session.execute(text("UPDATE topic_follows SET expires_at = now() - interval '1 minute'"))
    assert tag_follows.find_followed(session, ["win"]) == []
    assert posts.sources(session, NewPost(author, "#win", "company", "cli")) == [author.id]
