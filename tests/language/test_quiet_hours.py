"""Hours of quiet as people write them, in English and Spanish and on clumsy phones, and the text that is kept."""

import re
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.grammar import read as read_text
from gateway.language.words.normalize import fold_case
from gateway.language.words.quiet_hours import evening, longest, read, shown
from gateway.language.words.quiet_spans import DAYS, PATTERN, QuietSpan, parse, write
from tests.support.language_table import CONTEXT, VERBS, resolver

DAILY = ",".join(DAYS)
WORKDAYS = "mo,tu,we,th,fr"
NIGHT, LATE = "22:00-07:00", "23:00-09:00"


@pytest.mark.parametrize(
    "text",
    [
        "22-7", "22 - 7", "22:00-7:00", "22.00-07.00", "2200-0700", "2200-700", "22h-7h", "22 h - 7 h", "22h00-7h00",
        "22hs a 7hs", "22 to 7", "22 till 7", "22 until 7", "22–7", "22—7", "22 − 7", "22~7", "２２－７", "٢٢-٧",
        "“22-7”",
        "22-7.", "22-7!", "22 -7", "10pm-7am", "10 PM - 7 AM", "10p-7a", "10 p.m. to 7 a.m.", "10pm-7", "10pm to 7",
        "22-7am", "10 p. m. a 7 a. m.", "22pm-7am", "from 22 to 7", "from 10pm until 7am", "between 10pm and 7am",
        "between 22 and 7", "hours 22-7", "at 22-7", "10pm 7am", "22:00 7:00", "10 at night to 7 in the morning",
        "10 in the evening - 7 in the morning", "every day 22-7", "everyday 22-7", "daily 22-7", "every night 22-7",
        "22-7 every day", "22-7, daily", "mon-sun 22-7", "sun-sat 22-7", "all days: 22-7", "de 22 a 7",
        "de las 22 a las 7",
        "desde las 22 hasta las 7", "entre las 22 y las 7", "de 10 de la noche a 7 de la mañana", "todos los días 22-7",
        "todos los dias de 22 a 7", "cada día 22-7", "22-7 todos los días", "a diario 22-7", "cada noche 22-7",
        "22:00hs-07:00hs", "2200hrs - 0700hrs", "22 o'clock to 7",
        "time 22-7", "10:00PM TO 7:00AM EVERY NIGHT", "10 de la noche a las 7 am", "22-07", "nights 22-7",
        "all week 22-7",
        "TODOS LOS DI\u0301AS 22-7", "lunes a domingo 22-7", "L-D 22-7", "weekdays and weekends 22-7",
    ],
)  # fmt: skip
def test_the_same_night_in_many_forms(text):
    assert read(text) == f"{DAILY} {NIGHT}"
    assert read(fold_case(text)) == f"{DAILY} {NIGHT}"


@pytest.mark.parametrize(
    "text",
    [
        "mon-fri 22-7", "Mon - Fri 22-7", "mon–fri 22–7", "mon.-fri. 22-7", "monday to friday 10pm to 7am",
        "mo-fr 22-7",
        "mondays to fridays 22-7", "monday through friday, 22-7", "weekdays 22-7", "week days 22-7", "workdays 22-7",
        "on weekdays 22-7", "on weekdays from 22 to 7", "22-7 weekdays", "22-7 on weekdays", "22-7 mon-fri", "m-f 22-7",
        "mon,tue,wed,thu,fri 22-7", "mon, tues, weds, thurs and fri 22-7", "mon tue wed thu fri 22-7", "mon-fri: 22-7",
        "lun-vie 22-7", "lunes a viernes 22-7", "de lunes a viernes de 22 a 7", "lun a vie 22 a 7", "L-V 22-7",
        "lu-vi 22-7",
        "entre semana 22-7", "días laborables 22-7", "l a v 22-7",
        "every weekday 22-7", "weeknights 22-7", "M-F 10p-7a", "mon thru fri 10pm-7am", "22-7 M-F",
        "lun/mar/mié/jue/vie 22-7",
        "lun, mar, mié, jue y vie 22-7", "de lunes a viernes, de 22h a 7h",
    ],
)  # fmt: skip
def test_workdays_in_many_forms(text):
    assert read(text) == f"{WORKDAYS} {NIGHT}"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("22:30 - 7", f"{DAILY} 22:30-07:00"),
        ("10-7", f"{DAILY} 10:00-07:00"),  # nothing says that the evening is meant
        ("10-6", f"{DAILY} 10:00-06:00"),
        ("12-2pm", f"{DAILY} 12:00-14:00"),
        ("noon to 1pm", f"{DAILY} 12:00-13:00"),
        ("11pm-midnight", f"{DAILY} 23:00-00:00"),
        ("23-24", f"{DAILY} 23:00-00:00"),
        ("midnight to 7", f"{DAILY} 00:00-07:00"),
        ("12am-7am", f"{DAILY} 00:00-07:00"),
        ("0-7", f"{DAILY} 00:00-07:00"),
        ("12 at night to 7", f"{DAILY} 00:00-07:00"),
        ("1 de la noche a 7", f"{DAILY} 01:00-07:00"),
        ("medianoche a 7", f"{DAILY} 00:00-07:00"),
        ("fri midnight-8", "sa 00:00-08:00"),  # midnight at the end of Friday
        ("sun 24-8", "mo 00:00-08:00"),
        ("fri 0-8", "fr 00:00-08:00"),
        ("weekends 23:30-9", "sa,su 23:30-09:00"),
        ("weekend 23-9", f"sa,su {LATE}"),
        ("fines de semana 23-9", f"sa,su {LATE}"),
        ("los fines de semana de 23 a 9", f"sa,su {LATE}"),
        ("findes 23-9", f"sa,su {LATE}"),
        ("sat,sun 23-9", f"sa,su {LATE}"),
        ("sáb-dom 23-9", f"sa,su {LATE}"),
        ("cada fin de semana 23-9", f"sa,su {LATE}"),
        ("weekdays: 10pm-7am, weekends: 11pm-9am", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("mon-fri 22-7 & sat-sun 23-9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("sat/sun 23-9", f"sa,su {LATE}"),
        ("sun and sat 23-9", f"sa,su {LATE}"),
        ("sábado y domingo 23-9", f"sa,su {LATE}"),
        ("sábados 23-9", f"sa {LATE}"),
        ("every monday 22-7", f"mo {NIGHT}"),
        ("cada lunes 22-7", f"mo {NIGHT}"),
        ("todos los lunes 22-7", f"mo {NIGHT}"),
        ("sun-thu 22-7", f"mo,tu,we,th,su {NIGHT}"),  # over the end of the week
        ("fri-mon 22-7", f"mo,fr,sa,su {NIGHT}"),
        ("mon-fri 22-7, sat-sun 23-9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("mon-fri 22-7 sat-sun 23-9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("weekends 23-9; weekdays 22-7", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("22-7 mon-fri, 23-9 sat-sun", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("de lunes a viernes de 22 a 7 y fines de semana de 23 a 9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("22-7 and 13-15", f"{DAILY} 13:00-15:00; {DAILY} {NIGHT}"),
        ("22-7, 20-23", f"{DAILY} 20:00-07:00"),  # they overlap
        ("13-15, 15-16", f"{DAILY} 13:00-16:00"),  # they touch
        ("13-15, 13-15", f"{DAILY} 13:00-15:00"),
        ("mon-fri 22-7, fri 21-23", "mo,tu,we,th 22:00-07:00; fr 21:00-07:00"),
        ("0-12, 12-23:59", f"{DAILY} 00:00-23:59"),
    ],
)
def test_what_is_kept(text, kept):
    assert read(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "", "22", "-", "22-", "-7", "22-7-8", "22 7", "7 30", "25-7", "22-25", "22:60-7", "13am-7", "22am-7", "0pm-7",
        "22-22",
        "0-24", "midnight-midnight", "10pm-22", "24-7", "24/7", "0-12, 12-24", "8-20, 20-8", "10-9, 8-11", "mon",
        "mon-fri",
        "every day", "mon-mon 22-7", "weekdays-sun 22-7", "22-7, sat-sun 23-9", "22-7 mon-fri, 13-14",
        "22-7 except sunday", "please", "in here today", "10pm and 7am", "between 22 and", "22-7 please",
        "ten to seven",
        "10 to 7 people", "mon-fri 22-7, foo", "night", "all day", "1-2-3", "3/4-5", "22-7" * 40,
        "22-7," * 100 + "6-8", "9" * 200, "22:0-7", "2h",
        "till 9", "marzo 22-7", "\u200d", "½-7",
    ],
)  # fmt: skip
def test_what_is_none(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "hours", "offered"),
    [
        ("10-6", 20, "22-6"),
        ("10-7", 21, "22-7"),
        ("1-23", 22, None),  # nobody writes 23 by a clock of twelve hours
        ("7-22", 15, None),
        ("10-1am", 15, "22-1"),
        ("12-8", 20, "0-8"),
        ("mon-fri 12-8", 20, "tue-sat 0-8"),  # twelve at night is on the next day
        ("9-24", 15, "21-24"),
        ("mon-fri 10-6, sat-sun 23-9", 20, "mon-fri 22-6, sat-sun 23-9"),
        ("22-7", 9, None),
        ("17-7", 14, None),
        ("16-7", 15, None),  # the afternoon is certain
        ("0-15", 15, None),
    ],
)
def test_very_long_hours_and_the_other_reading(text, hours, offered):
    kept = read(text)
    assert kept is not None
    assert longest(kept) == timedelta(hours=hours)
    assert evening(kept) == (read(offered) if offered else None)


def test_which_days_an_answer_names():
    def named(text):
        kept = read(text)
        assert kept is not None
        return [(each.kind, each.days) for each in shown(kept)]

    assert named("22-7") == [("every day", (0, 1, 2, 3, 4, 5, 6))]
    assert named("mon-fri 22-7, sat-sun 23-9") == [("range", (0, 1, 2, 3, 4)), ("list", (5, 6))]
    assert named("sun-thu 22-7") == [("range", (6, 0, 1, 2, 3))]
    assert named("mon,wed,fri 22-7") == [("list", (0, 2, 4))]
    assert named("tue 22-7") == [("list", (1,))]
    [span] = shown("tu 22:30-07:15")
    assert (span.span.begin, span.span.end) == (time(22, 30), time(7, 15))


@pytest.mark.parametrize(
    "text",
    [
        "", "22-7", "mo 22:00-22:00", "mo 22:00-07:00;", "mo 22:00-07:00 ", "mo 22:00-07:00\n", "tu,mo 22:00-07:00",
        "mo,mo 22:00-07:00", "mo 24:00-07:00", "mo 2:00-07:00", "su 22:00-07:00; mo 22:00-07:00", "xx 22:00-07:00",
        "mo 10:00-12:00; mo 11:00-13:00", "MO 22:00-07:00", "mo ٢٢:00-07:00",
    ],
)  # fmt: skip
def test_only_the_canonical_text_is_parsed(text):
    with pytest.raises(ValueError, match="quiet hours"):
        parse(text)


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))
days = st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found)))
spans = st.lists(st.builds(QuietSpan, days, times, times), min_size=1, max_size=5)


@given(spans)
def test_whatever_overlaps_is_written_once_and_read_again(some):
    kept = write(some)
    if kept is None:
        return
    assert re.fullmatch(PATTERN, kept)
    assert write(parse(kept)) == kept
    assert write(reversed(some)) == kept
    assert read(kept) == kept  # whoever copies an answer writes it so
    assert quiet_minutes(parse(kept)) == quiet_minutes(some)
    assert len(quiet_minutes(some)) < 7 * 1440  # there is always a moment when what waits can be told


def quiet_minutes(some):
    """Each quiet minute of a week, naively."""
    found = set()
    for span in some:
        for day in span.days:
            begin = span.begin.hour * 60 + span.begin.minute
            found.update((day * 1440 + begin + each) % 10080 for each in range(span.minutes))
    return found


@given(st.text(st.sampled_from("0123456789:-,;. apmhtolunviedmr&/y"), max_size=30))
def test_anything_is_read_without_an_error(text):
    kept = read(text)
    assert kept is None or write(parse(kept)) == kept


@pytest.mark.parametrize(
    "text",
    [
        "quiet in here today", "quiet night so far", "quiet on the 5 line today", "quiet day, 10 to 7 people came",
        "quiet from 2 to 3 today", "quiet place at 9 or 10", "quiet till 10 people came",
        "digest of the week", "digest monday news", "digest for monday 8am",
    ],
)  # fmt: skip
def test_sentences_stay_updates(text):
    assert meant(text).intent == "update"


@pytest.mark.parametrize(
    "text",
    [
        "quiet weekdays", "quiet 22", "quiet 24/7", "quiet nights", "digest later", "quiet monday to friday",
        "digest every day", "digest weekdays 8am", "quite 22-7",
        "queit 22-7", "digset 8am", "digset 8am please", "digest off kim",
    ],
)  # fmt: skip
def test_hours_of_the_wrong_kind_and_mistyped_verbs_are_asked_about(text):
    assert meant(text).intent == "ask"


@pytest.mark.parametrize(
    "text", ["quite good", "quite late on friday", "quieter than monday", "digestion at 8", "quiet, please all of you"]
)
def test_other_words_stay_updates(text):
    assert meant(text).intent == "update"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("quiet 22-7, thanks", "quiet 22-7"),
        ("digest off pls", "digest off"),
        ("digest monday 8am please!", "digest monday 8am"),
        ("off till 9am please", "off till 9am"),
    ],
)
def test_a_courtesy_changes_nothing(text, bare):
    assert (meant(text).verb, meant(text).args) == (meant(bare).verb, meant(bare).args)
    assert meant(text).intent not in ("ask", "error", "update")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("quiet 22-7", f"{DAILY} {NIGHT}"),
        ("Quiet: 22 - 7", f"{DAILY} {NIGHT}"),
        ("quiet 22-7?", f"{DAILY} {NIGHT}"),
        ("QUIET MON-FRI 22-7, SAT-SUN 23-9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("quiet\nmon-fri\n22-7", f"{WORKDAYS} {NIGHT}"),
        ("quiet de lunes a viernes de 22 a 7 y fines de semana de 23 a 9", f"{WORKDAYS} {NIGHT}; sa,su {LATE}"),
        ("quiet 2h", "2h"),
        ("quiet till 9", "till 9"),
    ],
)
def test_the_verb_takes_them(text, args):
    assert (meant(text).verb, meant(text).args) == ("quiet", (args,))


def meant(text):
    return read_text(text, "sms", VERBS, resolver, CONTEXT)
