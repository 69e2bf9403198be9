"""Records every answer of a story as a phrase, before it is said in one language; for tests of what all answers are."""

import json
from gettext import NullTranslations
from pathlib import Path

import pytest

from gateway.actions import inviting
from gateway.i18n.phrases import Phrase, translated, translator
from gateway.inbound import execution, process, unknown_senders
from gateway.network.calls import escalation
from gateway.network.conversation import notices, offers
from gateway.network.mail import daily_mail
from gateway.network.receipts import call_reports
from gateway.sms import first_contact
from handlers import help_command


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


class AnswerRecorder:
    """Records every answer as a phrase, before it is said in one language."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, set[str]]] = {}
        self.said: set[str] = set()
        self.spanish = translator("es")

    def __call__(self, words: str, language: str) -> str:
        spanish, said = self.note(words)
        self.answers.setdefault(str(words), (spanish, said))
        return translated(words, language)

    def keep(self, file: Path) -> None:
        """Writes down what was recorded, for who asks later in this run of the tests."""
        heard = [[english, spanish, sorted(said)] for english, (spanish, said) in self.answers.items()]
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps({"answers": heard, "said": sorted(self.said)}))
        draft.rename(file)

    def recall(self, file: Path) -> bool:
        """Records once more what was written down; False when nothing was."""
        if not file.exists():
            return False
        kept = json.loads(file.read_text())
        self.said |= set(kept["said"])
        for english, spanish, said in kept["answers"]:
            self.answers.setdefault(english, (spanish, set(said)))
        return True

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


def listen(monkeypatch: pytest.MonkeyPatch) -> AnswerRecorder:
    """Records everything that is said until the test ends."""
    recorder = AnswerRecorder()
    for module in (
        execution, process, notices, offers, unknown_senders, inviting, first_contact, daily_mail, call_reports,
        escalation,
    ):  # fmt: skip
        monkeypatch.setattr(module, "translated", recorder)
    monkeypatch.setattr(help_command, "translated", recorder.pages)
    return recorder
