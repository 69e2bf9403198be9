"""The demo company: made up and marked so, and with the follows that the tour's numbers stand on."""

import phonenumbers
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from critter.demo import company as demo
from gateway.errors import Refused
from gateway.ledger.audit.invariants import prove
from gateway.network.audience import recipients
from gateway.network.follows import follows
from gateway.network.people import accounts, directory
from gateway.network.posts import posts
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Address, Consent, Delivery, Fanout, Follow, Post


@pytest.fixture
def company(engine: Engine) -> Engine:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    assert demo.load(engine)
    return engine


def by_handle(session: Session, handle: str) -> Account:
    return session.scalars(select(Account).where(Account.handle == handle)).one()


def test_it_is_loaded_once_and_only_into_an_empty_database(company: Engine) -> None:
    assert not demo.load(company)


def test_it_is_refused_live(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "live")
    with pytest.raises(Refused, match="live"):
        demo.load(engine)
    with transaction(engine) as session, pytest.raises(Refused, match="live"):
        demo.load_crowd(session, 1)


def test_everybody_is_marked_as_made_up(company: Engine) -> None:
    with transaction(company) as session:
        people = session.scalars(select(Account).where(Account.kind == "person")).all()
        assert all(person.title and person.title.endswith("(made up)") for person in people)
        for row in session.scalars(select(Address)):
            fictional = (
                row.address.startswith("+141555501") if row.channel == "sms" else row.address.endswith("@demo.example")
            )
            assert (fictional, row.state, row.is_primary) == (True, "verified", True)
        consents = session.scalars(select(Consent.source)).all()
        assert set(consents) == {"demo"}
        assert len(consents) == session.scalar(select(func.count()).select_from(Address))


def test_kims_first_update_is_four_texts_and_two_mails(company: Engine) -> None:
    with transaction(company) as session:
        kim = by_handle(session, "kim")
        post = posts.publish(session, posts.NewPost(kim, "starting the ACME proposal", "company", "sms"))
        fanout = session.scalars(select(Fanout).where(Fanout.post_id == post.id)).one()
        assert recipients.expand(session, fanout, 5, 1000)[1:] == (4, 2, 0)
        heard = session.scalars(select(Account.handle).join(Address).join(Delivery, Delivery.address_id == Address.id))
        assert sorted(heard) == ["anne", "dave", "elena", "pat", "priya", "sam"]


def test_what_the_tour_relies_on(company: Engine) -> None:
    with transaction(company) as session:
        kim, sam, bob, sales = (by_handle(session, handle) for handle in ("kim", "sam", "bob", "sales"))
        assert follows.role_in(session, sam.id, sales.id) is None
        assert 0 < follows.per_day(session, sales.id) < 2
        assert by_handle(session, "priya").id not in [one.id for one in follows.following(session, kim.id)[1]]
        near = accounts.find(session, "ACNE", kim.id)
        assert (near.exact, [one.name for one in near.near][:2]) == ((), ["ACME", "Anne Cole"])
        dispatch = by_handle(session, "dispatch")
        assert [one.handle for one in follows.posters(session, dispatch.id)] == ["dana"]
        assert session.get_one(Follow, (bob.id, dispatch.id)).by_text
        for name in ("kim", "Priya", "zoe", "hr news", "acme"):
            assert len(accounts.find(session, name, kim.id).exact) == 1


def test_older_posts_stand_where_their_time_says(company: Engine) -> None:
    with transaction(company) as session:
        rows = session.scalars(select(Post).order_by(Post.id)).all()
        assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
        late = select(func.count()).where(Post.id - Post.id % 65536 != func.id_at(Post.created_at))
        assert session.scalar(late) == 0
        assert session.scalar(select(func.max(Post.created_at))) < session.scalar(select(func.now()))  # type: ignore[operator]


def test_its_ledger_is_in_order(company: Engine) -> None:
    with transaction(company) as session:
        assert prove(session).broken == ()


def test_a_crowd(company: Engine) -> None:
    with transaction(company) as session:
        group = demo.load_crowd(session, 700)
        assert demo.load_crowd(session, 1000).id == group.id
        demo.load_crowd(session, 10)
        assert follows.followers(session, group.id)[0] == 1000
        numbers = session.scalars(
            select(Address.address).where(Address.address.like("+1555%")).order_by(Address.id)
        ).all()
        assert (len(set(numbers)), numbers[0]) == (1000, "+15550000001")
        assert all(phonenumbers.is_possible_number(phonenumbers.parse(number)) for number in numbers[:3])
        assert directory.find(session, "crowd0000007", None).exact
        with pytest.raises(Refused):
            demo.load_crowd(session, 10**7)
