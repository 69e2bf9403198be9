"""Time zones: what is kept always gives one, and what people write finds the one that they mean."""

import logging
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.zones import zone
from gateway.language.words import zone_names
from gateway.language.words.time_zones import NEAREST, find


@pytest.mark.parametrize("name", ["Asia/Tokyo", "UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta"])
def test_a_zone_that_is_kept(name):
    assert zone(name) is ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    ["Mars/Base", "", "America", "../etc/passwd", "/etc/passwd", "x" * 5000, "a\0b", "Asia/Tokyo ", "\ud800", ".",
     "tókyo", "US/Pacific-New"],
)  # fmt: skip
def test_an_unknown_one_is_utc_and_said_once(name, caplog):
    zone.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [zone(name), zone(name)] == [ZoneInfo("UTC")] * 2
    assert len(caplog.records) == 1
    assert len(caplog.records[0].getMessage()) < 400


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tokyo", "Asia/Tokyo"),
        ("Tokyo.", "Asia/Tokyo"),
        ("TOKYO", "Asia/Tokyo"),
        ("ｔｏｋｙｏ", "Asia/Tokyo"),
        ("tokyo time", "Asia/Tokyo"),
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("asia tokyo", "Asia/Tokyo"),
        ("japan", "Asia/Tokyo"),
        ("osaka", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("nyc", "America/New_York"),
        ("boston", "America/New_York"),
        ("us/eastern", "America/New_York"),
        ("EST", "America/New_York"),  # whoever lives there has summer time, which IANA's EST has not
        ("eastern time", "America/New_York"),
        ("pacific", "America/Los_Angeles"),
        ("mountain standard time", "America/Denver"),
        ("paris", "Europe/Paris"),
        ("Paris, France", "Europe/Paris"),
        ("london, uk", "Europe/London"),
        ("São Paulo", "America/Sao_Paulo"),
        ("sao paulo", "America/Sao_Paulo"),
        ("st. john's", "America/St_Johns"),
        ("St John’s", "America/St_Johns"),
        ("indiana/knox", "America/Indiana/Knox"),
        ("knox, indiana", "America/Indiana/Knox"),
        ("Asia/Calcutta", "Asia/Kolkata"),  # renamed
        ("kiev", "Europe/Kyiv"),
        ("saigon", "Asia/Ho_Chi_Minh"),
        ("germany", "Europe/Berlin"),  # it has two zones, one for a village
        ("spain", "Europe/Madrid"),
        ("utc", "UTC"),
        ("UTC+0", "UTC"),
        ("gmt", "Etc/GMT"),
        ("utc+2", "Etc/GMT-2"),  # IANA's sign is the other one
        ("UTC + 02:00", "Etc/GMT-2"),
        ("GMT-5", "Etc/GMT+5"),
        ("utc−5", "Etc/GMT+5"),
        ("+3", "Etc/GMT-3"),
        ("Etc/GMT+5", "Etc/GMT+5"),  # whoever writes IANA's name means IANA's sign
    ],
)
def test_what_people_mean(text, name):
    assert find(text).exact == (name,)
    assert find(text).near == ()


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("Nueva York", "es", "America/New_York"),
        ("tokio", "es", "Asia/Tokyo"),
        ("París", "es-MX", "Europe/Paris"),
        ("paris", "es", "Europe/Paris"),
        ("Japón", "es", "Asia/Tokyo"),
        ("Alemania", "es", "Europe/Berlin"),
        ("hora de Madrid", "es", "Europe/Madrid"),
        ("hora del Pacífico", "es", "America/Los_Angeles"),
        ("hora de la montaña", "es", "America/Denver"),
        ("londres", "fr", "Europe/London"),
        ("東京", "ja", "Asia/Tokyo"),
        ("london", "xx-nonsense", "Europe/London"),
        ("london", "", "Europe/London"),
    ],
)
def test_in_their_language(text, language, name):
    assert find(text, language).exact == (name,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tokio", "Asia/Tokyo"),
        ("tokoy", "Asia/Tokyo"),
        ("new yrok", "America/New_York"),
        ("york", "America/New_York"),
        ("buenos", "America/Argentina/Buenos_Aires"),
        ("melborne", "Australia/Melbourne"),
        ("san fransisco", "America/Los_Angeles"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("kolkatta", "Asia/Kolkata"),
        ("australia", "Australia/Sydney"),
    ],
)
def test_the_nearest_when_none_is_called_so(text, name):
    found = find(text)
    assert found.exact == ()
    assert name in found.near
    assert len(found.near) <= NEAREST


@pytest.mark.parametrize(
    "text", ["", " ", "qqqq", "x" * 1000, "localtime", "Factory", "utc+99", "utc+5:30", "..", "\u200d"]
)
def test_nothing_is_found(text):
    assert find(text).exact == ()


def test_one_name_of_two_places():
    assert set(find("samoa").exact) == {"Pacific/Apia", "Pacific/Pago_Pago"}


def test_every_zone_is_found_by_its_own_name():
    for name in available_timezones() - {"Factory", "localtime", "posixrules", "EST", "MST", "HST"}:
        [found] = find(name).exact
        assert ZoneInfo(found) is not None
    names = {*zone_names.CITIES.values(), *zone_names.SHORT_NAMES.values(), *zone_names.MAIN_ZONES.values()}
    assert names <= available_timezones()


def test_the_names_that_are_ours_are_needed_and_found():
    for name, meant in (zone_names.CITIES | zone_names.SHORT_NAMES).items():
        assert find(name).exact == (meant,), name


@given(st.text(max_size=80), st.sampled_from(["en", "es", "de", "zh-Hant", "\ud800", "en_US"]))
def test_anything_is_looked_up_without_an_error(text, language):
    found = find(text, language)
    assert all(name in available_timezones() for name in (*found.exact, *found.near))
    assert isinstance(zone(text), ZoneInfo)
