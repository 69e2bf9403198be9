"""Fetches the pictures and files of texts from the carrier and those of mails from the mail, cleans the pictures, and
stores each once in the media folder. RQ calls `drain`; the clock and whoever reads a mail wake it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from gateway.carriers.twilio.media import TwilioMedia
from gateway.errors import CarrierError, Refused
from gateway.failpoints import crash_point
from gateway.files import file_types, image_sanitizer, media_folder
from gateway.files.image_sanitizer import SanitizedImage, UnusableImage
from gateway.ledger.inbox import media
from gateway.ledger.inbox.media import DueMedia, StoredMedia
from gateway.mail.decode import attachments, mime
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

TURN: Final = 3.0  # seconds; fan-outs share the queue
BREATH: Final = timedelta(seconds=10)  # until the next try when the database is away
LEASE: Final = timedelta(seconds=90)  # enough to fetch and clean one file, with time to spare

log = structlog.get_logger()


class MediaNotKept(Exception):
    """The reason, in a few words, why a file is not kept. `again`: it may be available later."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


def drain() -> None:
    drained("pictures", step, TURN)


def step(context: WorkerContext) -> bool:
    """Handles the file that has waited longest; returns False when none is due. It is fetched and cleaned outside of
    any transaction."""
    context.transient_errors.repay(context.engine, "picture")
    with transaction(context.engine) as session:
        due = media.claim(session, LEASE)
    if due is None:
        return False
    try:
        _end(context, due)
    except OperationalError:
        context.transient_errors.give_back(
            context.engine, "picture", lambda session: media.put_back(session, due, BREATH)
        )
        raise
    return True


def _end(context: WorkerContext, due: DueMedia) -> None:
    try:
        cleaned = _cleaned(_brought(context, due), due)
    except MediaNotKept as unkept:
        log.warning("picture not kept", upload=due.upload_id, number=due.number, reason=str(unkept))
        with transaction(context.engine) as session:
            media.mark_failed(session, due, str(unkept), again=unkept.again)
    else:
        _keep(context, due, cleaned)


def _brought(context: WorkerContext, due: DueMedia) -> bytes:
    """Returns the file's bytes as they came. Raises MediaNotKept."""
    if due.digest and (there := media_folder.place(context.settings.var, due.digest.hex())).exists():
        return there.read_bytes()
    if due.content is not None:
        return due.content
    if due.url is None:
        return _out_of_mail(due)
    settings = context.settings
    token = next(iter(settings.twilio_auth_tokens), "")
    source = TwilioMedia(settings.twilio_account_sid, token, settings.twilio_api_base)
    try:
        return context.loop.run(source.fetch(due.url))
    except CarrierError as error:
        raise MediaNotKept(error.reason, again=error.kind == "transient") from None


def _out_of_mail(due: DueMedia) -> bytes:
    if due.raw is None:
        raise MediaNotKept("the mail is not kept any more")
    try:
        content = attachments.part(mime.parse(due.raw), due.number)
    except Refused as refused:
        raise MediaNotKept(str(refused)) from None
    if content is None:
        raise MediaNotKept("the mail has no such part")
    return content


@dataclass(frozen=True, slots=True)
class CleanedFile:
    """What is kept of a file; `picture`: as it was made anew."""

    content: bytes
    kind: str
    picture: SanitizedImage | None = None


def _cleaned(content: bytes, due: DueMedia) -> CleanedFile:
    """Raises MediaNotKept for what is not passed on."""
    if why := file_types.explain_refusal(content, due.name or ""):
        raise MediaNotKept(why)
    kind = file_types.sniff(content)
    if kind not in file_types.PICTURES:
        return CleanedFile(content, kind)
    try:
        made = image_sanitizer.sanitize(content)
    except UnusableImage as unclean:
        raise MediaNotKept(str(unclean), again=str(unclean) == image_sanitizer.TOO_SLOW) from None
    return CleanedFile(made.content, made.type, made)


def _keep(context: WorkerContext, due: DueMedia, cleaned: CleanedFile) -> None:
    """Writes the files first, then the row: a crash between the two leaves a file that a sweep removes."""
    picture, var = cleaned.picture, context.settings.var
    with transaction(context.engine) as session:
        media.in_use(session)
        digest = media_folder.keep(var, cleaned.content)
        small_digest = media_folder.keep(var, picture.small) if picture and picture.small else None
        crash_point("kept")
        name = file_types.name_file(due.name or "", cleaned.kind)
        stored = StoredMedia(digest, small_digest, len(cleaned.content), cleaned.kind, name)
        if picture:
            stored = stored._replace(width=picture.width, height=picture.height, blurhash=picture.blurhash)
        media.mark_stored(session, due, stored)
