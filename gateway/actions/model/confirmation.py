"""What must be confirmed before it is done, with the facts to decide by. A text asks a question, a page shows a dialog.

The answer adds what the confirmation `gives` to the actor's `confirmed`, and the same action is done again.
"""

from datetime import datetime
from typing import Any, Final

from gateway.actions.model.actor import Actor

# What can be confirmed. The words are kept with open questions in the database, so they do not change.
PROOF: Final = "secret"  # that the actor is who they seem to be: a sender number can be forged (R39)
REACH: Final = "price"  # that it goes to so many phones, at that price
REPEAT: Final = "repeat"  # that words which were private are read by more people
END: Final = "end"  # that something without an end gets one
OK: Final = "ok"  # that others see it
ADDRESSED: Final = "addressed"  # that words which look like a private message go to everyone


class ConfirmationRequired(Exception):
    """`kind` says what is to be confirmed, `facts` are its data; `gives`: one or more of the words above."""

    def __init__(self, kind: str, *gives: str, **facts: Any) -> None:
        super().__init__(kind)
        self.kind, self.gives, self.facts = kind, frozenset(gives), facts


def confirm_end(actor: Actor, standing: str, name: str, until: datetime) -> None:
    """What has no end is not shortened unasked. `standing`: what it is, for the question: follow, source, mute, or the
    channel that is off. Raises ConfirmationRequired."""
    if END not in actor.confirmed:
        raise ConfirmationRequired("end", END, standing=standing, name=name, until=until)
