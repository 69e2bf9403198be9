"""Offers: after an update that asks something, its author may be told who wrote about it where everyone may read it,
and can have them asked privately with one digit.

gateway/actions/posting notes that an update asks, in its own transaction; workers/offers makes the offers that are due;
gateway/actions/offers asks the people. An offer is made only when nothing else is open with its author.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention.quiet_hours import quiet_until
from gateway.attention.zones import zone
from gateway.channels import ONLY_IF_CHOSEN
from gateway.i18n.phrases import translated
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import conversations, notices, offer_words, reply_limits
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import mutes, reachability
from gateway.network.people import discoverability
from gateway.network.posts import posts, rendering
from gateway.network.posts.author_search import FoundAuthor
from gateway.network.posts.rendering import Rendered
from gateway.settings import Settings
from gateway.store.channel_sql import rank_of
from gateway.store.tables import Account, Address, Delivery, Message, Offer, OfferPerson, Post
from gateway.store.views import ADDRESSES, AddressNow, FollowInForce

KIND: Final = "offer"  # of its question
FEWEST, MOST = 2, 3  # people in one offer
OFFERS_A_DAY: Final = 3  # to one author
ASKED_A_DAY: Final = 2  # times that one person is asked so
DAY: Final = timedelta(days=1)
LATE: Final = timedelta(hours=1)  # an offer that could not be made by then is of no more use
AGAIN: Final = timedelta(seconds=5)  # until the next look at an update that is still being spread


def schedule(session: Session, post: Post, hold: timedelta) -> bool:
    """Notes that the author of this post may be made an offer, when it asks something of everyone and answers nobody.
    Other posts cost no statement."""
    if post.visibility != "company" or post.in_reply_to or not offer_words.asks(post.text):
        return False
    row = insert(Offer).values(post_id=post.id, author_id=post.author_id, due_at=func.now() + hold)
    session.execute(row.on_conflict_do_nothing())
    return True


def due(session: Session, limit: int) -> Sequence[Offer]:
    """The oldest that are due, locked."""
    waiting = select(Offer).where(Offer.offered_at.is_(None), Offer.due_at <= func.now())
    return session.scalars(waiting.order_by(Offer.due_at).limit(limit).with_for_update(skip_locked=True)).all()


def put_off(session: Session, post_id: int, wait: timedelta) -> None:
    session.execute(update(Offer).where(Offer.post_id == post_id).values(due_at=func.now() + wait))


def make(session: Session, settings: Settings, offer: Offer) -> frozenset[str]:
    """Makes the offer, or deletes the row when there is none to make; returns the queues to wake. Whoever gets the
    update anyway is known only when it has been spread, so that is waited for."""
    fresh = session.scalar(select(Post.created_at > func.now() - LATE).where(Post.id == offer.post_id))
    if fresh and posts.is_spreading(session, offer.post_id):
        put_off(session, offer.post_id, AGAIN)
        return frozenset()
    made = _make(session, settings, offer) if fresh else None
    if made is None:
        session.delete(offer)
    return made or frozenset()


def _make(session: Session, settings: Settings, offer: Offer) -> frozenset[str] | None:
    """The locks are taken in the order in which reading a text takes them: its address, its person, a post."""
    there = _lock_place(session, offer)
    author = session.scalars(select(Account).where(Account.id == offer.author_id).with_for_update(key_share=True)).one()
    post = session.scalars(select(Post).where(Post.id == offer.post_id).with_for_update(read=True)).one()
    if there is None or not _is_wanted(session, post, author) or not _is_free(session, settings, there, author):
        return None
    found = _find(session, post, author)
    return _put(session, offer, author, there, *found) if found else None


def _is_wanted(session: Session, post: Post, author: Account) -> bool:
    """Asked with the author's row locked: two workers never make one offer too many."""
    if post.deleted_at or author.state != "active" or not offer_words.asks(post.text):
        return False
    recent = select(func.count()).where(Offer.author_id == author.id, Offer.offered_at > func.now() - DAY)
    return (session.scalar(recent) or 0) < OFFERS_A_DAY and discoverability.connects(session, author.id)


def _lock_place(session: Session, offer: Offer) -> Address | None:
    """Where the author would be asked: at the address that the update came from, else at the phone, else at the
    mailbox; None when that is off. Whatever comes from there waits for the lock, and then knows of the question."""
    usable = (
        select(AddressNow.id, AddressNow.state, ADDRESSES.c.receives)
        .join(Post, Post.id == offer.post_id)
        .where(AddressNow.account_id == offer.author_id, AddressNow.is_primary)
        .where(AddressNow.state.in_(["verified", "stopped"]), AddressNow.channel.not_in(ONLY_IF_CHOSEN))
        .order_by((AddressNow.channel == Post.via).desc(), rank_of(AddressNow.channel).desc())
    )
    first = session.execute(usable.limit(1)).first()
    if first is None or first.state != "verified" or not first.receives:
        return None
    locked = select(Address).where(Address.id == first.id).with_for_update(key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def _is_free(session: Session, settings: Settings, there: Address, author: Account) -> bool:
    """Whether they have no other question open there, no quiet hours, and this one reaches them."""
    if conversations.open_question(session, there.id) or _is_quiet(session, there, author):
        return False
    return reply_limits.unsendable(session, settings, there, None) is None


def _is_quiet(session: Session, there: Address, author: Account) -> bool:
    now: datetime = session.execute(select(func.now())).scalar_one()
    return there.quiet is not None and quiet_until(there.quiet, zone(author.zone_now), now) is not None


def _find(session: Session, post: Post, author: Account) -> tuple[str, Sequence[FoundAuthor]] | None:
    """The first word of the update about which enough people wrote who can be asked, and these people."""
    for word, found in offer_words.find_topics(session, post, author):
        ids = [person.id for person in found]
        askable = keep_askable(session, author, ids) - _hearing(session, post, ids)
        people = [person for person in found if person.id in askable]
        if len(people) >= FEWEST:
            return word, people[:MOST]
    return None


def keep_askable(session: Session, author: Account, people: Collection[int]) -> set[int]:
    """Those of these people whom a question of the author reaches, and who were not asked too often today."""
    asked = select(OfferPerson.account_id).where(
        OfferPerson.account_id.in_(people), OfferPerson.asked_at > func.now() - DAY
    )
    tired = session.scalars(asked.group_by(OfferPerson.account_id).having(func.count() >= ASKED_A_DAY)).all()
    apart = mutes.deaf_to(session, author.id, people) | mutes.apart_from(session, author.id, people)
    return reachability.reachable(session, people) - apart - set(tired)


def _hearing(session: Session, post: Post, people: Collection[int]) -> set[int]:
    """Those who hear the author anyway: by a follow, or because this update went to them."""
    follow = select(FollowInForce.follower_id).where(FollowInForce.account_id == post.author_id)
    got = select(Address.account_id).join(Delivery, Delivery.address_id == Address.id)
    got = got.join(Message, Message.id == Delivery.message_id).where(Message.post_id == post.id)
    return set(
        session.scalars(
            follow.where(FollowInForce.follower_id.in_(people)).union_all(got.where(Address.account_id.in_(people)))
        )
    )


def _put(
    session: Session, offer: Offer, author: Account, there: Address, word: str, found: Sequence[FoundAuthor]
) -> frozenset[str]:
    words, people = offer_words.describe_offer(word, found, FEWEST)
    said = translated(words, author.language)
    offer.word, offer.offered_at = word, func.now()
    session.flush()
    for place, person in enumerate(people, 1):
        session.add(OfferPerson(post_id=offer.post_id, account_id=person.id, place=place))
    about = {"post": offer.post_id, "said": said}
    conversations.ask(session, there.id, AskedQuestion(KIND, [{"label": "asks them"}], ("DROP",), about))
    notice = Outgoing("notice", said, said, said, priority=notices.PRIORITY, quotes=(offer.post_id,))
    outbox.put(session, notice, [Target(there.id, there.channel)])
    return frozenset({there.channel})


def render(author: Account, word: str, question: Post, language: str) -> Rendered:
    """How the private question reads for people of one language: why they are asked, and how such questions end."""
    text_, body = offer_words.describe_question(author.name, word, question.text)
    subject = rendering.subject(f"{author.name} (private): {question.text}")
    return Rendered(translated(text_, language), subject, translated(body, language))


def take(session: Session, author: Account, post_id: int) -> tuple[Offer, Sequence[Account]] | None:
    """The offer of that author, locked, and those of its people who can still be asked, in their order. None when the
    update was taken back, when they were asked already, or when none of them can be asked."""
    mine = select(Offer).join(Post, Post.id == Offer.post_id).where(Offer.post_id == post_id, Offer.word.is_not(None))
    mine = mine.where(Offer.author_id == author.id, Post.deleted_at.is_(None)).with_for_update(of=Offer)
    offer = session.scalars(mine).one_or_none()
    if offer is None or not discoverability.connects(session, author.id):
        return None
    offered = select(Account, OfferPerson.asked_at).join(OfferPerson, OfferPerson.account_id == Account.id)
    rows = session.execute(offered.where(OfferPerson.post_id == post_id).order_by(Account.id).with_for_update(
        of=Account, key_share=True)).all()  # fmt: skip
    if any(asked_at for _, asked_at in rows):
        return None
    there = [person for person, _ in rows if person.state == "active" and discoverability.connects(session, person.id)]
    askable = keep_askable(session, author, [person.id for person in there])
    places = dict(session.execute(select(OfferPerson.account_id, OfferPerson.place).where(
        OfferPerson.post_id == post_id)).all())  # fmt: skip
    people = sorted((person for person in there if person.id in askable), key=lambda person: places[person.id])
    return (offer, people) if people else None


def mark_asked(session: Session, offer: Offer, people: Collection[int], asked_by: int) -> None:
    """Records that these people were asked, and by which private post."""
    mine = update(OfferPerson).where(OfferPerson.post_id == offer.post_id, OfferPerson.account_id.in_(people))
    session.execute(mine.values(asked_by=asked_by, asked_at=func.now()))


def word_of(session: Session, post_id: int, account_id: int) -> str | None:
    """What somebody wrote about who was asked by this private post; None when it is no such post."""
    mine = select(Offer.word).join(OfferPerson, OfferPerson.post_id == Offer.post_id)
    return session.scalar(mine.where(OfferPerson.asked_by == post_id, OfferPerson.account_id == account_id))
