"""Every answer of every story, in every language: one text part."""

from gettext import NullTranslations
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway import listening
from gateway.language.phrases import Phrase, languages, tongue, translated
from gateway.language.texts import segments, thrifty
from gateway.network import notices
from gateway.settings import Settings
from gateway.store.tables import Table
from handlers import helping
from tests.scripted import play

STORIES = sorted((Path(__file__).parent / "conversations").glob("*.txt"))
# What people wrote themselves is as long as they wrote it.
QUOTING = ("{by}: {text} ({ago})",)


class Recorder(NullTranslations):
    """A catalog that notes what was looked up in it."""

    def __init__(self, catalog: NullTranslations) -> None:
        super().__init__()
        self.catalog, self.said = catalog, set[str]()

    def gettext(self, message: str) -> str:
        self.said.add(message)
        return self.catalog.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.said.add(msgid1)
        return self.catalog.ngettext(msgid1, msgid2, n)


class Ear:
    """Hears every answer as a phrase, before it is said in one language."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, set[str]]] = {}
        self.said: set[str] = set()
        self.spanish = tongue("es")

    def __call__(self, words: str, language: str) -> str:
        spanish, said = self.note(words)
        self.answers.setdefault(str(words), (spanish, said))
        return translated(words, language)

    def pages(self, words: str, language: str) -> str:
        """All the pages of `more`; they are sent one by one."""
        self.note(words)
        return translated(words, language)

    def note(self, words: str) -> tuple[str, set[str]]:
        recorder = Recorder(self.spanish.catalog)
        self.spanish.catalog = recorder
        try:
            spanish = words.saying(self.spanish) if isinstance(words, Phrase) else words
        finally:
            self.spanish.catalog = recorder.catalog
        self.said |= recorder.said
        return spanish, recorder.said


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    ear = Ear()
    for module in (listening, notices):
        monkeypatch.setattr(module, "translated", ear)
    monkeypatch.setattr(helping, "translated", ear.pages)
    return ear


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        names = ", ".join(table.name for table in Table.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} CASCADE"))


def test_every_answer_fits_one_text_in_every_language(engine: Engine, settings: Settings, ear: Ear) -> None:
    assert languages() == {"en", "es"}
    for story in STORIES:
        empty(engine)
        play(story, engine, settings)
    long = [
        f"{parts} {words!r}"
        for english, (spanish, said) in ear.answers.items()
        for words in (english, spanish)
        if not said.intersection(QUOTING) and (parts := segments(thrifty(words))[1]) > 1
    ]
    assert long == []
