"""Reports to the operators about an item or about somebody. Whoever is reported is not told."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, say
from gateway.inbound.commands import CommandContext, command, undoes
from gateway.network.conversation import notices
from gateway.network.inspect import abuse_reports
from gateway.network.people import accounts
from gateway.network.posts import timelines
from gateway.store.tables import Effect

KNOWN = say("You already reported that. The people who run Critter will look at it.")


@command("report [NAME]", about="report it to the people who run Critter", spanish="denunciar")
def report(session: Session, turn: CommandContext) -> str:
    return _somebody(session, turn) if turn.names else _last_item(session, turn)


def _somebody(session: Session, turn: CommandContext) -> str:
    who = turn.names[0]
    if who.id == turn.account.id:
        raise Refused(say("That is you. Nothing was reported."))
    if not _filed(session, turn, who.id, None):
        return KNOWN
    mark = "#" if who.kind == "group" else "@"
    told = say(
        "@{handle} reported {name}. To see it: critter reports", handle=turn.account.handle, name=mark + who.handle
    )
    _tell(session, turn, who.id, told)
    return say("Reported. The people who run Critter will look at it. {name} is not told.", name=who.name)


def _last_item(session: Session, turn: CommandContext) -> str:
    items = timelines.list_received(session, turn.address.id, 1)
    if not items:
        raise Refused(
            say("There is nothing to report: nothing has reached you here yet. To report a person: report NAME")
        )
    author = items[0].author
    if not _filed(session, turn, author.id, items[0].post.id):
        return KNOWN
    values = {"handle": turn.account.handle, "name": f"@{author.handle}"}
    _tell(session, turn, author.id, say("@{handle} reported an update by {name}. To see it: critter reports", **values))
    return say(
        "{name}'s last update is reported. The people who run Critter will look at it. Nobody else is told.",
        name=author.name,
    )


@undoes("report")
def _withdraw(session: Session, turn: CommandContext, effect: Effect) -> str:
    """A report that operators have read cannot be unread; one that still waits is closed."""
    assert effect.subject_id
    abuse_reports.withdraw(session, effect.subject_id)
    return say("Your report is withdrawn.")


def _filed(session: Session, turn: CommandContext, account_id: int, post_id: int | None) -> bool:
    report_id = abuse_reports.add(session, turn.account.id, account_id, post_id)
    if report_id:
        turn.did("report", report_id)
    return report_id is not None


def _tell(session: Session, turn: CommandContext, reported_id: int, words: Phrase) -> None:
    """The notice to the operators has no words of anybody's. The reporter and the reported get none, should they be
    operators."""
    people = accounts.operators(session) - {turn.account.id, reported_id}
    turn.rings |= notices.tell(session, people, words, inbound_id=turn.inbound_id)
