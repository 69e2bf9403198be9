"""Decides which files of a mail are attached to its post, and what its writer is told of the others. `process` calls
it."""

from dataclasses import dataclass
from typing import Final

from gateway.files import file_types
from gateway.files.image_sanitizer import UnusableImage, measure
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.ledger.inbox import media
from gateway.ledger.inbox.media import BroughtMedia
from gateway.mail.decode.attachments import Enclosure, enclosures_inside
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.settings import Settings

LOGO: Final = 150  # pixels of the shorter side; a smaller picture in the text is a logo or an emoticon
BEACON: Final = 2  # pixels; a picture that small is a tracking pixel
TOLD: Final = 3  # files that an answer names

WHY: Final[dict[str, Phrase]] = {
    "program": say("a program"),
    "web page": say("a web page"),
    "archive": say("an archive"),
    "metadata": say("send it as JPEG"),
    "macros": say("it contains macros"),
    "unknown": say("this kind of file is not passed on"),
    "broken": say("the picture is broken"),
    "too large": say("too many pixels"),
    "encrypted": say("encrypted"),
    "mail": say("a mail inside the mail"),
    "tnef": say("Outlook wrapped it up: send as HTML or plain text"),
}


@dataclass(frozen=True, slots=True)
class Attachments:
    """The files that are attached, and those that are not: (name, why)."""

    brought: tuple[BroughtMedia, ...] = ()
    left_out: tuple[tuple[str, Phrase], ...] = ()

    @property
    def called(self) -> str:
        """Words for a mail that has none of its own: (photo), (2 photos), (plan.pdf)."""
        if len(self.brought) == 1 and media.describe_kind([self.brought[0].content_type]) == "file":
            return f"({self.brought[0].name})"
        return f"({media.describe_kind([part.content_type for part in self.brought])})" if self.brought else ""


def look(mail: ReceivedMail, forwarded: bool, settings: Settings) -> Attachments:
    """Sorts the files of a mail. The type is what the bytes show; only a picture's size is read, nothing is decoded
    yet."""
    brought: list[BroughtMedia] = []
    left_out: list[tuple[str, Phrase]] = []
    for each in () if mail.refused else enclosures_inside(mail.body.inside, forwarded=forwarded):
        if _not_meant(each):
            continue
        kind = file_types.sniff(each.content)
        name = file_types.name_file(each.name, kind)
        if why := _why_not(each, kind, settings, len(brought)):
            left_out.append((file_types.bare_type(each.name) or name, why))
        else:
            brought.append(BroughtMedia(each.number, name, kind))
    return Attachments(tuple(brought), tuple(left_out))


def describe_left_out(left_out: tuple[tuple[str, Phrase], ...]) -> Phrase:
    """Which files were left out, and why."""
    shown: list[str] = [say("{name} ({why})", name=name, why=why) for name, why in left_out[:TOLD]]
    if len(left_out) > TOLD:
        shown.append(count("{count} more", "{count} more", len(left_out) - TOLD))
    return say("Left out: {files}.", files=joined(shown, ", "))


def _not_meant(part: Enclosure) -> bool:
    """Whether it is no attachment: what mail programs add by themselves, what is only in the quoted part, and logos."""
    if part.quoted or not part.content or file_types.LIST_FOOTER.fullmatch(part.name):
        return True
    if file_types.sniff(part.content) not in file_types.PICTURES:
        return False
    try:
        size = measure(part.content)
    except UnusableImage:
        return False
    return size is not None and min(size) < (LOGO if part.shown else BEACON + 1)


def _why_not(part: Enclosure, kind: str, settings: Settings, already: int) -> Phrase | None:
    if part.type == "message/rfc822":
        return WHY["mail"]
    if part.type == "application/ms-tnef" or part.name.lower() == "winmail.dat":
        return WHY["tnef"]
    if part.type in file_types.ENCRYPTED or part.content.startswith(b"-----BEGIN PGP MESSAGE"):
        return WHY["encrypted"]
    if len(part.content) > settings.media_largest:
        return say("larger than {number} MB", number=round(settings.media_largest / (1 << 20), 1))
    if why := file_types.explain_refusal(part.content, part.name):
        return WHY.get(why, WHY["unknown"])
    if already >= settings.media_most:
        return say("more than {number} files", number=settings.media_most)
    return _broken(part, kind)


def _broken(part: Enclosure, kind: str) -> Phrase | None:
    if kind not in file_types.PICTURES:
        return None
    try:
        return None if measure(part.content) else WHY["broken"]
    except UnusableImage as unclean:
        return WHY[str(unclean)]
