"""Mails in a member's name that nothing proves (R28): they are held, and the member is asked by mail whether they wrote
them.

workers/mail_auth asks them; the answer comes to c+TOKEN@, for which gateway/inbound/mail_routing calls `take_answer`.
Only that mailbox knows the token, so the token proves the answer. Strangers are never asked: a forged mail must not
make us write to the person it was forged for.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.i18n.phrases import say, translated
from gateway.language.words.normalize import fold_case
from gateway.ledger.inbox import unauthenticated
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.store.tables import Account, Address, Inbound

LIFE: Final = timedelta(hours=24)
HOURLY, DAILY = 1, 5  # questions to one mailbox, which may never have written those mails (R33)
ASKED: Final = "asked"  # the proof of a held mail whose sender was asked
PROOF: Final = "confirmed"
LONGEST: Final = 60  # characters of a mail that are quoted back
YES: Final = frozenset(
    ["ok", "okay", "yes", "confirm", "ja", "jo", "oui", "sí", "si", "sì", "sim", "tak", "да", "是", "好", "はい"]
)
NO: Final = frozenset(["no", "nein", "non", "não", "nao", "nee", "nej", "nei", "nie", "нет", "不", "不是", "いいえ"])


def may_ask(session: Session, inbound: Inbound) -> bool:
    """Whether a question may be sent: one an hour and five a day."""
    counts = session.execute(QUESTIONS, {"sender": inbound.sender, "asked": ASKED}).one()
    return bool(counts.hour < HOURLY and counts.day < DAILY)


def ask(session: Session, inbound: Inbound, address: Address, account: Account, words: str) -> str:
    """Puts the question; returns the queue to wake. The reply goes to an address that stands for this one mail."""
    begun = " ".join(words.split())
    quoted = begun if len(begun) <= LONGEST else f"{begun[:LONGEST].rstrip()}…"
    notice = say(
        "A mail in your name reached Critter, and nothing proves that you wrote it. It begins:\n\n    {words}\n\nReply "
        "OK within 24 hours to confirm this was you; then it is read as yours. Reply NO to drop it. If you do nothing, "
        "nothing is posted.",
        words=quoted,
    )
    said, subject = (translated(each, account.language) for each in (notice, say("Did you write this mail?")))
    question = Outgoing("code", said, subject, said, inbound_id=inbound.id, priority=2)
    outbox.put(session, question, [Target(address.id, "email")])
    return "email"


def take_answer(session: Session, inbound_id: int, address: Address, words: str) -> str:
    """What an answer changed, in words for the row of the answer. Any word other than OK or NO changes nothing."""
    row = unauthenticated.find_asked(session, inbound_id, address.address, ASKED, LIFE)
    if row is None:
        return "that mail does not wait for an answer any more"
    line = fold_case(words).strip().split("\n", 1)[0].strip(_ENDS)
    if line in NO or NO & {word.strip(_ENDS) for word in line.split()}:
        unauthenticated.deny(row, "the one whose name it bears did not write it")
        return "said no: the mail was dropped"
    if line not in YES:  # "OK, who is this?" is no yes: only a word that stands alone lets a mail in
        return "neither OK nor NO: the mail still waits"
    unauthenticated.confirm(row, PROOF)
    return "said OK: the mail is read"


_ENDS: Final = " .,!:;-–—\"'()"
QUESTIONS: Final = text("""
    SELECT count(*) FILTER (WHERE id >= id_at(now() - interval '1 hour')) AS hour, count(*) AS day
    FROM inbound WHERE channel = 'email' AND sender = :sender AND proof = :asked
      AND state NOT IN ('new', 'working') AND id >= id_at(now() - interval '1 day')
""")
