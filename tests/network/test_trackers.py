"""Tracked words: what everyone may read comes to whoever tracks a word of it, and nothing else ever does; counts, the
limit, what stays of them, and what the clock and an erasure take away."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.preferences import tracking
from gateway.errors import Refused
from gateway.language.track_phrases import track_phrase
from gateway.ledger.audit.audience_rules import BY_WORDS
from gateway.ledger.operations import retention
from gateway.ledger.outbox import claims
from gateway.mail.compose.layout import lay_out
from gateway.network.audience import phone_estimate, recipients
from gateway.network.follows import follows, mutes, trackers
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.people import accounts, export
from gateway.network.posts import continuations, posts
from gateway.network.posts.posts import NewPost
from gateway.network.receipts import receipts
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Fanout, Inbound, Post, Track, Tracker
from gateway.store.views import TrackerInForce
from tests.network.test_visibility import Company, ids
from tests.support.delivering import open_context
from tests.support.office import Office
from tests.support.refusals import refusals
from workers import fanout

HOUR = timedelta(hours=1)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


@pytest.fixture
def company(session: Session) -> Company:
    """The first writes; the second tracks acme by text, the third has nothing to do with either."""
    made = Company(session, 4)
    track(made, made.people[1], "acme")
    return made


def track(company: Company, person: Account, words: str, by_text: bool = True) -> int:
    return trackers.put(company.session, person.id, track_phrase(words), by_text)


def reached(company: Company, post: Post) -> list[int]:
    company.spread()
    return company.sent(post)


def test_a_tracked_word_brings_a_post_once_and_to_one_address(session: Session, company: Company) -> None:
    author, tracker, _, both = company.people
    company.follow(both, author, by_text=False)
    track(company, both, "acme proposal")
    track(company, both, "proposal", by_text=False)
    post = company.says(author, "the ACME proposal")
    assert reached(company, post) == ids([tracker, both])
    channels = session.execute(select(Address.account_id, Address.channel).where(
        Address.id.in_([address for _, address, _ in company.rows(post)]))).all()  # fmt: skip
    assert dict(map(tuple, channels)) == {tracker.id: "sms", both.id: "sms"}
    assert company.sent(company.says(author, "the proposal")) == []  # not spread yet


def test_a_tracker_made_in_the_transaction_before_counts(engine: Engine) -> None:
    with transaction(engine) as session:
        author, tracker = Company(session, 2).people
        keys = author.id, tracker.id
    with transaction(engine) as session:
        trackers.put(session, keys[1], track_phrase("acme"), True)
    with transaction(engine) as session:
        [track_id] = session.scalars(select(Track.id)).all()
        assert posts.sources(session, NewPost(session.get_one(Account, keys[0]), "ACME!", "company", "cli")) == [
            keys[0],
            track_id,
        ]


def test_their_own_words_bring_nobody_their_own_posts(session: Session, company: Company) -> None:
    tracker = company.people[1]
    assert posts.sources(session, NewPost(tracker, "acme", "company", "cli")) == [tracker.id]
    track(company, company.people[2], "acme")
    assert reached(company, company.says(tracker, "acme")) == [company.people[2].id]


@pytest.mark.parametrize("access", ["open", "broadcast", "closed"])
def test_a_group_that_all_may_read(session: Session, company: Company, access: str) -> None:
    author, tracker, *_ = company.people
    company.group.access = access
    follows.follow(session, author.id, company.group.id, True, role="owner")
    post = company.says(author, "acme signed", company.group)
    assert reached(company, post) == ([] if access == "closed" else [tracker.id])
    assert len(session.scalars(select(Fanout).where(Fanout.post_id == post.id)).all()) == 1 + (access != "closed")


def test_private_words_never_reach_a_tracker(session: Session, company: Company) -> None:
    author, _, other, _ = company.people
    for post in (company.tells(author, "acme is broke", other), company.tells(author, "#acme", other)):
        assert reached(company, post) == [other.id]
        assert session.scalars(select(Fanout.source_id).where(Fanout.post_id == post.id)).all() == [0]
    assert session.execute(text(BY_WORDS)).all() == []


def test_a_repeat_reaches_no_tracker(session: Session, company: Company) -> None:
    author, tracker, other, _ = company.people
    mutes.put(session, tracker.id, author.id, MuteSnapshot("mute", None))
    again = company.says(other, "", repeats=company.says(author, "acme signed"))
    assert reached(company, again) == []
    assert session.scalars(select(Fanout.source_id).where(Fanout.post_id == again.id)).all() == [other.id]


def close_group(session: Session, company: Company) -> None:
    company.group.access = "closed"


def untrack(session: Session, company: Company) -> None:
    assert trackers.end(session, company.people[1].id, "acme")


def run_out(session: Session, company: Company) -> None:
    session.execute(update(Tracker).values(expires_at=func.now() - HOUR))


def block_author(session: Session, company: Company) -> None:
    mutes.put(session, company.people[1].id, company.people[0].id, MuteSnapshot("block", None))


def be_blocked(session: Session, company: Company) -> None:
    mutes.put(session, company.people[0].id, company.people[1].id, MuteSnapshot("block", None))


def mute_author(session: Session, company: Company) -> None:
    mutes.put(session, company.people[1].id, company.people[0].id, MuteSnapshot("mute", None))


def mute_group(session: Session, company: Company) -> None:
    mutes.put(session, company.people[1].id, company.group.id, MuteSnapshot("mute", None))


def suspend_tracker(session: Session, company: Company) -> None:
    accounts.suspend(session, company.people[1].id)


def suspend_author(session: Session, company: Company) -> None:
    accounts.suspend(session, company.people[0].id)


def deactivate(session: Session, company: Company) -> None:
    accounts.deactivate(session, company.people[1].id)


def retract(session: Session, company: Company) -> None:
    posts.retract(session, session.scalars(select(Post)).one())


CHANGES = [close_group, untrack, run_out, block_author, be_blocked, mute_author, mute_group, suspend_tracker,
           suspend_author, deactivate, retract]  # fmt: skip


@pytest.mark.parametrize("late", [False, True], ids=["before it spreads", "after its rows were made"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_happens_before_it_leaves_counts(
    session: Session, company: Company, change: Callable[[Session, Company], None], late: bool
) -> None:
    post = company.says(company.people[0], "acme signed", company.group)
    if late:
        company.spread()
        assert company.sent(post) == [company.people[1].id]
    change(session, company)
    session.flush()
    session.expire_all()
    assert reached(company, post) == []


def test_a_member_of_the_group_that_closed_still_gets_it(session: Session, company: Company) -> None:
    author, tracker, *_ = company.people
    post = company.says(author, "acme signed", company.group)
    company.spread()
    company.follow(tracker, company.group)
    company.group.access = "closed"
    session.flush()
    assert company.sent(post) == [tracker.id]


def test_why_it_does_not_leave(session: Session, company: Company) -> None:
    post = company.says(company.people[0], "acme signed", company.group)
    company.spread()
    untrack(session, company)
    [(message, address, _)] = company.rows(post)
    assert refusals(session, [(message, address)]) == {(message, address): "left"}


def test_somebody_hears_it_who_only_tracks(session: Session, company: Company) -> None:
    author = company.people[0]
    assert recipients.has_readers(session, company.says(author, "acme"))
    assert not recipients.has_readers(session, company.says(author, "lunch"))
    block_author(session, company)
    assert not recipients.has_readers(session, company.says(author, "acme"))


def test_phones_are_counted_once(session: Session, company: Company) -> None:
    author, tracker, other, both = company.people
    company.follow(tracker, author)
    track(company, tracker, "proposal")
    track(company, other, "proposal")
    track(company, both, "proposal", by_text=False)
    sources = posts.sources(session, NewPost(author, "the acme proposal", "company", "cli"))
    assert len(sources) == 3
    assert phone_estimate.phones(session, sources, []) == 2


def test_who_could_not_be_reached_is_told_of(session: Session, company: Company) -> None:
    author = company.people[0]
    nowhere = accounts.create_person(session, "nowhere", "No Where")
    track(company, nowhere, "acme", by_text=False)
    session.execute(update(Tracker).values(created_at=func.now() - HOUR))
    post = company.says(author, "acme signed")
    company.spread()
    assert [one.handle for one in receipts.list_missed(session, post.id, "UTC", 9)] == ["nowhere"]
    assert receipts.tally(session, post.id).unreached == 1


def test_a_later_part_brings_it_to_more(session: Session, company: Company) -> None:
    author, tracker, other, _ = company.people
    follows.follow(session, other.id, author.id, True)
    waiting = NewPost(author, "1/2 we signed AC", "company", "cli", hold=HOUR)
    post = posts.publish(session, waiting)
    assert continuations.append(session, author, post.id, "the acme contract")
    private = posts.publish(
        session, NewPost(author, "1/2", "direct", "cli", recipients=[(other.id, other.id)], hold=HOUR)
    )
    assert continuations.append(session, author, private.id, "acme")
    session.execute(update(Fanout).values(not_before=func.now()))
    assert reached(company, session.get_one(Post, post.id)) == ids([tracker, other])
    assert reached(company, session.get_one(Post, private.id)) == [other.id]


@pytest.mark.parametrize(("ends", "holds"), [(None, True), (HOUR, True), (timedelta(0), False), (-HOUR, False)])
def test_what_is_in_force(session: Session, company: Company, ends: timedelta | None, holds: bool) -> None:
    session.execute(update(Tracker).values(expires_at=None if ends is None else func.now() + ends))
    person = company.people[1].id
    assert bool(session.scalars(select(TrackerInForce)).all()) == holds
    assert (trackers.standing(session, person, "acme") is not None) == holds
    assert bool(trackers.tracked_by(session, person)) == holds
    assert bool(trackers.heard(session, company.people[0].id, "acme")) == holds
    assert (trackers.since(session, person, session.scalars(select(Track.id)).one()) is not None) == holds


def tell_all(session: Session, author: Account, words: list[str], **values: object) -> None:
    session.add_all(Post(author_id=author.id, visibility="company", text=each, via="cli", **values) for each in words)
    session.flush()


def test_how_often_a_phrase_comes(session: Session, company: Company) -> None:
    author = company.people[0]
    tell_all(session, author, ["the board meeting", "a BOARD-meeting", "meeting of the board"])
    tell_all(session, author, ["an old board meeting"], created_at=func.now() - timedelta(days=30))
    company.tells(author, "the board meeting is off", company.people[2])
    found = trackers.frequency(session, "board meeting")
    assert (found.hits, found.posts, found.per_week, found.too_frequent) == (3, 4, 1.0, False)


def test_a_word_in_more_than_two_percent_is_refused(session: Session, company: Company, settings: Settings) -> None:
    author, _, person, _ = company.people
    tell_all(session, author, ["standup"] * trackers.TOO_MANY + ["lunch"] * 10)
    actor = Actor(person, "api", settings, Signer(settings.secret_keys))
    assert tracking.track(session, actor, "standup").state == "tracked"
    tell_all(session, author, ["our standup"])
    assert tracking.track(session, actor, "standup").state == "already"
    other = Actor(author, "api", settings, Signer(settings.secret_keys))
    with pytest.raises(Refused) as refused:
        tracking.track(session, other, "Standup")
    assert refused.value.reason == "track_too_frequent"
    assert refused.value.facts == {"phrase": "standup", "count": 41, "number": 51}


def test_two_doors_at_once_do_not_pass_the_limit(engine: Engine, settings: Settings) -> None:
    with transaction(engine) as session:
        person = accounts.create_person(session, "kim", "Kim").id
        for number in range(trackers.MOST - 1):
            trackers.put(session, person, track_phrase(f"word{number}"), True)
    done: list[str] = []
    ready = threading.Barrier(2)

    def one(word: str) -> None:
        with transaction(engine) as session:
            actor = Actor(session.get_one(Account, person), "api", settings, Signer(settings.secret_keys))
            ready.wait()
            try:
                done.append(tracking.track(session, actor, word).state)
            except Refused as refused:
                done.append(refused.reason)

    threads = [threading.Thread(target=one, args=(word,)) for word in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["track_no_room", "tracked"]


def test_the_clock_forgets_what_nobody_tracks_any_more(engine: Engine) -> None:
    ages = retention.RetentionAges(timedelta(30), timedelta(90), timedelta(900), secrets=timedelta(0))
    kinds = [kind for kind in retention.kinds(ages) if kind.name in ("trackers", "tracks")]

    def left() -> list[str]:
        with transaction(engine) as session:
            session.execute(text("DELETE FROM retention"))
            for kind in kinds:
                while retention.batch(session, kind, ages) is not None:
                    pass
            return list(session.scalars(select(Track.phrase).order_by(Track.phrase)))

    with transaction(engine) as session:
        kim, sam = (accounts.create_person(session, handle, handle).id for handle in ("kim", "sam"))
        for phrase in ("kept", "left", "over", "soon"):
            trackers.put(session, kim, track_phrase(phrase), True)
        trackers.put(session, sam, track_phrase("left"), True)
        trackers.end(session, kim, "left")
        ends = {"over": func.now() - timedelta(days=2), "soon": func.now() - HOUR}
        for phrase, end in ends.items():
            of = select(Track.id).where(Track.phrase == phrase).scalar_subquery()
            session.execute(update(Tracker).where(Tracker.track_id == of).values(expires_at=end))
    assert left() == ["kept", "left", "over", "soon"]
    with transaction(engine) as session:
        session.execute(update(Track).values(changed_at=func.now() - timedelta(days=2)))
        trackers.end(session, sam, "left")
    assert left() == ["kept", "left", "soon"]  # "left" has just been left, and a link may still bring it back
    with transaction(engine) as session:
        session.execute(update(Track).values(changed_at=func.now() - timedelta(days=2)))
    assert left() == ["kept", "soon"]


def test_the_clock_does_not_forget_what_is_tracked_meanwhile(engine: Engine) -> None:
    """The clock waits for whoever begins to track it, and then sees that."""
    with transaction(engine) as session:
        kim = accounts.create_person(session, "kim", "Kim").id
        session.add(Track(phrase="acme", shown="acme"))
    with transaction(engine) as session:
        session.execute(update(Track).values(changed_at=func.now() - timedelta(days=9)))
    ages = retention.RetentionAges(timedelta(30), timedelta(90), timedelta(900), secrets=timedelta(0))
    [kind] = [kind for kind in retention.kinds(ages) if kind.name == "tracks"]

    def forget() -> None:
        with transaction(engine) as session:
            retention.batch(session, kind, ages)

    clock = threading.Thread(target=forget)
    with transaction(engine) as session:
        trackers.put(session, kim, track_phrase("acme"), True)
        clock.start()
        clock.join(1)
        assert clock.is_alive()
    clock.join()
    with transaction(engine) as session:
        assert trackers.tracked_by(session, kim) == ["acme"]


def test_an_erasure_takes_tracked_words_along(office: Office) -> None:
    for who, words in (("sam", 'track "pangolin food"'), ("sam", "track zebra"), ("bob", "track zebra"),
                       ("bob", 'track "sam ortiz"'), ("bob", "track sam"), ("bob", "track samosa")):  # fmt: skip
        office.says(who, words)
        office.work()
    assert office.critter("erase", "sam", "--yes").exit_code == 0
    assert office.sql("SELECT phrase FROM tracks ORDER BY phrase") == [("samosa",), ("zebra",)]
    assert office.sql("SELECT count(*) FROM trackers") == [(2,)]
    assert office.sql("SELECT 1 FROM effects WHERE CAST(detail AS text) LIKE '%pangolin%'") == []
    assert office.critter("audit").output.startswith("clean: ")


def test_an_export_has_them(office: Office) -> None:

    office.says("sam", "track Forklift")
    office.work()
    with transaction(office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
    with Session(office.engine) as session:
        rows = export.everything(session, sam)["tracked"]
    assert [(row["shown"], row["by_text"]) for row in rows] == [("forklift", True)]


def test_a_trace_names_the_word(office: Office) -> None:
    office.says("sam", "track forklift")
    office.work()
    number = office.says("bob", "the forklift is back")
    office.work()
    assert '"forklift"' in office.critter("trace", str(number)).output


def test_a_mail_says_which_word_brought_it(session: Session, company: Company) -> None:
    author, _, _, both = company.people
    track_id = track(company, both, "Board Meeting", by_text=False)
    company.says(author, "the board-meeting is at noon")
    company.spread()
    [mail] = claims.claim(session, "email", "test", HOUR, 9)
    assert (mail.source_id, mail.source, mail.follows) == (track_id, f"track{track_id}", '"board meeting"')
    frame = lay_out("Demo", "en", kind="update", author="Kim", handle="kim", follows=mail.follows or "")
    assert (frame.reason, frame.stop) == (
        'You get this because it has "board meeting" in it, which you track.',
        "Stop",
    )
    named = lay_out("Demo", "en", kind="update", author="Kim", handle="kim", follows='"Kit" Lee (@kim)')
    assert named.reason == 'You get this because you follow "Kit" Lee (@kim).'


def test_a_post_with_many_tracked_words_keeps_nobody_waiting(engine: Engine, settings: Settings) -> None:
    """Its writer's own followers are served in the transaction of the input, and the rest by a worker."""
    context = open_context(settings)
    with transaction(engine) as session:
        company = Company(session, 9)
        author, follower, *others = company.people
        company.follow(follower, author)
        for number, person in enumerate(others):
            track(company, person, f"word{number}")
        inbound = Inbound(channel="cli", natural_key=b"1", sender="p000", recipients=[], message_id="1", trusted=True)
        session.add(inbound)
        session.flush()
        said = " ".join(f"word{number}" for number in range(len(others)))
        post = posts.publish(session, NewPost(author, said, "company", "cli", inbound_id=inbound.id))
        assert fanout.begin(context, session, inbound.id) == {"sms", "fanout"}
        assert sorted(person for _, _, person in company.rows(post)) == ids([follower, *others[:2]])
        company.spread()
        assert company.sent(post) == ids([follower, *others])
