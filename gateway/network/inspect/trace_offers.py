"""What came of an update that asks something: whom its author was offered to ask, and who was asked. A trace shows
it."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.network.inspect.trace_deliveries import Plain, iso
from gateway.store.tables import Account, Offer, OfferPerson, Post


def of_post(session: Session, post: Post, *, bodies: bool) -> Plain | None:
    """Of the update that asks, or of the private post that asked for it; None for any other post."""
    mine = select(Offer).outerjoin(OfferPerson, OfferPerson.post_id == Offer.post_id)
    offer = session.scalars(mine.where(or_(Offer.post_id == post.id, OfferPerson.asked_by == post.id)).limit(1)).first()
    if offer is None:
        return None
    people = select(Account.handle, OfferPerson.asked_at).join(Account, Account.id == OfferPerson.account_id)
    rows = session.execute(people.where(OfferPerson.post_id == offer.post_id).order_by(OfferPerson.place))
    return {
        "about": str(offer.post_id),
        **({"word": offer.word} if bodies else {}),
        "due_at": iso(offer.due_at),
        "offered_at": iso(offer.offered_at),
        "people": [{"handle": handle, "asked_at": iso(asked_at)} for handle, asked_at in rows],
    }
