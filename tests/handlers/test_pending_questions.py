"""The open question as a machine: asked, answered, wrongly answered, run out, replaced; a late answer does nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.language.grammar import read
from gateway.language.model.reading import Choice, Context, Item, OpenQuestion, Reading
from tests.support.language_table import KIM, VERBS, resolver

DAY, OPEN = 24 * 60.0, 30.0
WORDS = ("OK", "POST", "DROP", "UNDO")
kinds = st.sampled_from(["private", "thread", "verb", "confirm", "told", "secret"])
endings = st.sampled_from(["", ".", "!", " ", ")"])


class Talk(RuleBasedStateMachine):
    """One phone. `asked` is what was last asked there, until it is answered; `age` in minutes, as the talk keeps it."""

    asked: OpenQuestion | None
    age: float
    heard: float

    @initialize()
    def nothing_asked(self) -> None:
        self.asked, self.age, self.heard = None, 0.0, 120.0

    @rule(kind=kinds, choices=st.integers(0, 3), words=st.sets(st.sampled_from(WORDS), min_size=1))
    def ask(self, kind: str, choices: int, words: set[str]) -> None:
        """A new question replaces the one before."""
        offered = tuple(Choice(f"choice {number}") for number in range(choices))
        self.asked = OpenQuestion(kind, offered, frozenset(words), secret=kind == "secret")
        self.age = 0.0

    @rule(minutes=st.sampled_from([1.0, 6.0, 29.0, 31.0, 1500.0]))
    def time_passes(self, minutes: float) -> None:
        self.age, self.heard = self.age + minutes, self.heard + minutes

    @rule()
    def item_arrives(self) -> None:
        self.heard = 0.0

    @rule(digit=st.integers(0, 12), ending=endings)
    def digit(self, digit: int, ending: str) -> None:
        """It chooses, is told what may be chosen, or is late; it is never an update while a question knows it."""
        reading = self.meant(f"{digit}{ending}")
        asked = self.asked
        if asked and self.age <= OPEN and (asked.secret or asked.choices):
            right = asked.secret or 1 <= digit <= len(asked.choices)
            assert (reading.intent, reading.args) == (("choice", (str(digit),)) if right else ("error", ()))
        elif self.late and asked and (asked.secret or 1 <= digit <= len(asked.choices)):
            assert reading.intent == "error"
        else:
            assert reading.intent in ("update", "error")
        self.settle(reading)

    @rule(word=st.sampled_from(WORDS), case=st.sampled_from([str.lower, str.upper, str.title]), ending=endings)
    def word(self, word: str, case: type[str], ending: str) -> None:
        reading = self.meant(case(word) + ending)
        if self.asked and self.age <= OPEN and word in self.asked.words:
            assert (reading.intent, reading.args) == ("choice", (word,))
        elif word == "POST" or (self.late and self.asked and word in self.asked.words and word != "OK"):
            assert reading.intent == "error"
        self.settle(reading)

    @precondition(lambda self: self.asked is not None)
    @rule(text=st.sampled_from(["d kim hi", "/follow sales", ".hello", '"hello"', "follow sales", "stop"]))
    def something_else(self, text: str) -> None:
        """What is no answer is read as ever, and leaves the question open."""
        assert self.meant(text) == read(text, "sms", VERBS, resolver, Context())

    @invariant()
    def never_published_by_a_digit(self) -> None:
        if self.asked and self.age <= OPEN and self.asked.choices:
            assert self.meant("1").intent == "choice"
        assert self.meant("post").intent in ("choice", "error")

    @property
    def late(self) -> bool:
        return self.asked is not None and OPEN < self.age <= DAY

    def meant(self, text: str) -> Reading:
        """As contexts.context hands it over: open for half an hour, remembered for a day."""
        asked = self.asked and OpenQuestion(
            self.asked.kind, self.asked.choices, self.asked.words, self.asked.secret, self.age
        )
        context = Context(
            last=Item(100, KIM, age=self.heard),
            question=asked if self.age <= OPEN else None,
            ran_out=asked if self.late else None,
        )
        return read(text, "sms", VERBS, resolver, context)

    def settle(self, reading: Reading) -> None:
        """An answer closes the question; everything else leaves it as it is."""
        if reading.intent == "choice" and self.asked and not self.asked.secret:
            self.asked = None


TestTalk = Talk.TestCase
TestTalk.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
