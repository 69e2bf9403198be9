"""The steps of the tour in order: who types what, and what there is to see. The page's chips are made from them."""

from dataclasses import dataclass

from simulator.tour.stage import Person


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that somebody types. `by` is a handle. `after`: it waits until that handle's device got something, and
    `pause` ms more, so that people can read."""

    by: str
    says: str
    mail: bool = False
    after: str = ""
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One chip. `see` is shown while it plays; `watch` are the handles whose devices matter then, in order; `also` get
    it and need not be looked at."""

    title: str
    see: str
    beats: tuple[Beat, ...] = ()
    watch: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    opens: str = ""  # a step of its own: drill or explain


STEPS = (
    Step(
        "Sam follows Sales",
        "One word and a name. The answer says what to expect, and how to stop.",
        (Beat("sam", "follow sales"),),
        ("sam",),
    ),
    Step(
        "Kim says what she is doing",
        "It is no command, so it goes to everyone who follows her: Sam by text, Priya by mail.",
        (Beat("kim", "starting the ACME proposal"),),
        ("sam", "priya"),
        ("elena",),
    ),
    Step(
        "Priya answers by mail",
        "Kim does not know Priya. The reply still finds the way to Kim's phone.",
        (Beat("priya", "Finance has last year's numbers, shall I send them?", mail=True),),
        ("kim",),
    ),
    Step(
        "Kim writes to ACME, and takes it back",
        "The d makes it private. It waits ten seconds, so UNDO leaves nothing behind.",
        (Beat("kim", "d ACME proposal"), Beat("kim", "undo", after="kim", pause=3200)),
        ("kim",),
    ),
    Step(
        "Kim mistypes a private message",
        "Nobody is called ACNE. Private words are never posted by mistake: they are kept, and she is asked.",
        (Beat("kim", "d ACNE margin 12%"),),
        ("kim",),
    ),
    Step(
        "Dispatch asks its drivers",
        "Bob's bare yes goes to dispatch alone. Nobody else hears it.",
        (Beat("dana", "#dispatch can anyone take the 3 pm run?"), Beat("bob", "yes", after="bob", pause=900)),
        ("bob", "dana"),
    ),
    Step(
        "Bob opts out",
        "No more texts go to Bob. Dispatch is told, so that somebody can call him.",
        (Beat("bob", "STOP"),),
        ("bob", "dana"),
    ),
    Step(
        "What if I sleep?",
        "Sam turns his phone off for the night. What comes meanwhile is kept: one message when it is on again.",
        (
            Beat("sam", "off 8h"),
            Beat("kim", "ACME calls at nine", after="sam", pause=900),
            Beat("kim", "bring the blue folder", after="priya", pause=900),
            Beat("sam", "on", after="priya", pause=900),
        ),
        ("sam",),
        ("priya", "elena"),
    ),
    Step(
        "Break it at work",
        "The program that sends is killed in the middle of 1,000 texts. What is lost?",
        opens="drill",
    ),
    Step("Ask how a text is read", "Any words of Sam's, and why. Nothing is sent, nothing is kept.", opens="explain"),
)


def empty(person: Person) -> str:
    """What is shown on a device that nothing has reached: which step is the first to reach it."""
    kind = "mails" if "@" in person.address else "texts"
    steps = (number for number, step in enumerate(STEPS, 1) if person.handle in _reached(step))
    first = next(steps, None)
    return f"No {kind} yet. Press {first}." if first else f"No {kind} yet."


def _reached(step: Step) -> set[str]:
    return {beat.by for beat in step.beats} | {*step.watch, *step.also}
