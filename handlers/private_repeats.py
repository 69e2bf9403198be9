"""Asks before words that were private can be read by more people, however the text was read and whatever door it came
by."""

from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, joined, say
from gateway.inbound.commands import CommandContext, ConfirmationRequired
from gateway.network.audience import private_repeats
from gateway.network.audience.private_repeats import Readers, Repeated
from gateway.network.posts.posts import NewPost

GIVES = "repeat"


def ask_if_private(session: Session, turn: CommandContext, words: NewPost) -> None:
    """Raises ConfirmationRequired when the words repeat what was private to their writer; a repeat of a post is public
    already."""
    if GIVES in turn.confirmed or words.repeats:
        return
    repeated = private_repeats.find(session, words.author, words.text, _readers(words), turn.said)
    if repeated is None:
        return
    if words.visibility == "direct":
        question, answers = say("Not sent yet. Reply OK to send it, DROP to delete it."), ("OK", "DROP")
    else:
        question, answers = say("Not posted yet. Reply POST to tell everyone, DROP to delete it."), ("POST", "DROP")
    raise ConfirmationRequired(joined([_whose(repeated), question]), GIVES, words=answers)


def _readers(words: NewPost) -> Readers:
    if words.visibility == "direct":
        people = [person for person, _ in words.recipients]
        to_people = all(person == named for person, named in words.recipients)
        return Readers(people=people, own_words_free=to_people)
    if words.group and words.group.access == "closed" and not words.also and not words.followers:
        return Readers(group_id=words.group.id)
    return Readers(everyone=True)


def _whose(repeated: Repeated) -> Phrase:
    if repeated.own and repeated.told:
        return say("This repeats what you told {name} privately.", name=repeated.told)
    if repeated.group and repeated.own:
        return say("This repeats what you wrote in {group}, which is closed.", group=repeated.group)
    if repeated.group:
        name = repeated.author
        return say("This repeats what {name} wrote in {group}, which is closed.", name=name, group=repeated.group)
    return say("This repeats what {name} told you privately.", name=repeated.author)
