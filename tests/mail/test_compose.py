"""Outgoing mails: headers, threads, parts, and nothing that could break out of them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.i18n.phrases import languages
from gateway.mail.compose.compose import MARKER, ListHeaders, Template, compose, headline, message_id
from gateway.mail.compose.html_part import paragraphs
from gateway.mail.compose.layout import lay_out
from gateway.mail.parse.own_words import read_own_words
from tests.support.examples import example_count

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
STOP = "https://x.example/u/a=" + "b" * 80
FILLED = ("pat@corp.example", "r+abc@mail.example", message_id(1, 2, "mail.example"), STOP, "u+abc@mail.example")
KIM = lay_out("Corp & Co", "en", kind="update", author="Kim Lée", handle="kim", group="sales", follows="Sales (#sales)")
SALES = ListHeaders("sales.mail.example", "sales@mail.example", "sales+join@mail.example", "help@mail.example")
MOST = 20_000  # bytes that a plain update may have


def template(**changes: object) -> Template:
    given_ = {
        "sender_name": "Kim Lée via Critter",
        "sender": "post@mail.example",
        "subject": "Kim: go",
        "text": "gö!",
        "frame": KIM,
        "lists": SALES,
    }
    return compose(**{**given_, "date": NOW, "critter_id": "1", **changes})


def opened(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def parts(raw: bytes) -> tuple[str, str]:
    mail = opened(raw)
    text, html = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    return text, html


def test_a_mail_is_complete():
    raw = template(in_reply_to="<a@b>", references=("<x@y>",)).fill(*FILLED)
    mail = opened(raw)
    assert str(mail["From"]) == "Kim Lée via Critter <post@mail.example>"
    assert str(mail["To"]) in ("<pat@corp.example>", "pat@corp.example")
    assert mail["Message-ID"] == "<critter.1.2@mail.example>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<a@b>", "<x@y> <a@b>")
    assert mail["List-Unsubscribe"] == f"<{STOP}>, <mailto:u+abc@mail.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["List-Post"], mail["List-Help"]) == ("<mailto:sales@mail.example>", "<mailto:help@mail.example>")
    assert mail["List-Subscribe"] == "<mailto:sales+join@mail.example>"
    assert (mail["Auto-Submitted"], mail["Precedence"], mail["List-Id"]) == (
        "auto-generated",
        "bulk",
        "<sales.mail.example>",
    )


def test_both_parts_say_the_same():
    text, html = parts(template().fill(*FILLED))
    assert text.startswith(MARKER + "\n")
    facts = (MARKER, "Kim Lée", "@kim in #sales", "gö!", "Reply to this mail to answer in #sales.", STOP)
    facts += ("You get this because you follow Sales (#sales).", "Stop", "Critter · Corp & Co")
    for part in (text, unescape(html)):
        assert [fact for fact in facts if fact not in part] == []
        assert not {"Recibes", "http:", "{{"} & set(part.split())


def test_a_mail_speaks_its_readers_language():
    said = lay_out("Corp", "es", kind="update", author="Kim", handle="kim", follows="Kim (@kim)", words_language="de")
    text, html = parts(template(frame=said).fill(*FILLED))
    assert text.startswith("## Responde encima de esta línea ##\n")
    assert "Recibes esto porque sigues a Kim (@kim). Dejar de recibirlo:" in text
    assert '<html lang="es">' in html
    assert '<div lang="de"' in html


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_reply_is_cut_at_the_marker_of_every_language(language):
    quoted, _ = parts(template(frame=lay_out("Corp", language, kind="update", author="Kim")).fill(*FILLED))
    reply = "From: pat@corp.example\n\nyes\n\nwhoever that was, at some time\n" + quoted
    assert read_own_words(reply.encode()).text == "yes\n\nwhoever that was, at some time"


class Page(HTMLParser):
    """What a mail program would fetch, run or follow, and what a screen reader hears of the layout."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.active: list[str] = []
        self.tables: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given_ = dict(attrs)
        self.tags.append(tag)
        self.links += [given_["href"] or ""] if tag == "a" else []
        self.tables += [given_.get("role")] if tag == "table" else []
        self.fetched += [name for name in given_ if name in ("src", "srcset", "background", "poster", "data")]
        self.fetched += ["url"] if "url(" in (given_.get("style") or "") else []
        self.active += [name for name in given_ if name.startswith("on")]


HOSTILE = [
    "<script>alert(1)</script> <img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)> javascript:alert(1) https://x.example/"onmouseover="alert(1)',
    "https://x.example/?a=1&b=<b>2</b> http://user:pass@x.example/) data:text/html,<script>x</script>",
    "]]><!--<![endif]--></td></table><style>*{display:none}</style>{{critter.to}} {critter}",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_is_written_runs_or_is_fetched(hostile):
    frame = lay_out(hostile, "en", kind="update", author=hostile, handle="kim", follows=hostile, words_language=hostile)
    ours = Page(parts(template().fill(*FILLED))[1])
    html = parts(template(text=hostile, frame=frame).fill(*FILLED))[1]
    page = Page(html)
    assert set(page.tags) <= set(ours.tags)
    assert page.tags.count("table") == ours.tags.count("table")
    assert [link for link in page.links if not link.startswith(("https://", "http://"))] == []
    assert (page.fetched, page.active) == ([], [])
    assert set(page.tables) == {"presentation"}
    assert "pat@corp.example" not in html


def test_words_keep_their_direction_and_their_links():
    _, html = parts(template(text="שלום לכולם\n\nsee https://x.example/a_(b)?c=1&d=2, and\nbye").fill(*FILLED))
    assert html.count('<p dir="auto"') == 2
    assert 'href="https://x.example/a_(b)?c=1&amp;d=2"' in html
    assert "and<br>\nbye" in html


def test_a_plain_update_is_small():
    usual = template(text="on my way to the ACME meeting, back at three").fill(*FILLED)
    longest = template(text="wörds " * 400).fill(*FILLED)
    assert len(usual) < 6_000
    assert len(longest) < MOST


@pytest.mark.parametrize(
    "bad", ["a\nBcc: x@y.example", "a\rb", "a\x00", "a\u2028b", "=?utf-8?q?a=0ABcc:_x?=", "=?utf-8?b?YQpi?="]
)
@pytest.mark.parametrize("where", ["sender_name", "subject", "critter_id", "lists", "in_reply_to"])
def test_control_characters_in_headers_are_refused(bad, where):
    with pytest.raises(ValueError):
        template(**{where: ListHeaders(bad) if where == "lists" else bad})


@pytest.mark.parametrize("bad", ["a b@c.example", "a@c.example\r\nBcc: x@y.example", "ü@c.example", '"a"@b', "a>@b<"])
def test_recipients_that_break_out_are_refused(bad):
    with pytest.raises(ValueError):
        template().fill(bad, *FILLED[1:])


def test_long_ids_still_thread():
    long = "<" + "a" * 300 + "@mail.example>"
    mail = message_from_bytes(template(in_reply_to=long).fill(*FILLED))
    assert mail["In-Reply-To"] == long


def test_headlines():
    assert headline("one\ntwo\u2028three =?utf-8?q?a?=") == "one two three = ?utf-8?q?a?="
    assert len(headline("word " * 50)) <= 78


HOSTILE_NAMES = [
    'Kim, Boss" <boss@corp.example>',
    "Kim\\",
    "a" * 90 + ", boss@corp.example, " + "b" * 90,
    "Ünal, Kim <x@y.example>, " * 12,
    "(Kim) ; group: x@y.example;",
    "=?utf-8?q?=0D=0ABcc=3A_x=40y=2Eexample?=",
    "👩🏽‍💻 Kim\u202egnp.exe",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_stays_one_name(name):
    shown = headline(name, 300)
    mail = opened(template(sender_name=shown, subject=shown).fill(*FILLED))
    (box,) = mail["From"].addresses
    assert box.addr_spec == "post@mail.example"
    assert box.display_name.replace(" ", "") == shown.replace(" ", ""), "3.11 puts blanks between encoded words"
    assert str(mail["Subject"]) == shown
    assert [field for field in mail if field.lower() in ("bcc", "cc", "to")] == ["To"]


anything = st.text(max_size=300)


@given(anything, st.text(max_size=100), st.text(max_size=100), st.text(max_size=40))
@settings(deadline=None, max_examples=example_count(80))
def test_whatever_is_sent_is_clean(text, subject, name, company):
    frame = lay_out(company, "en", kind="update", author=name, handle="kim", group="sales", follows=name)
    raw = template(sender_name=headline(name), text=text, subject=headline(subject), frame=frame).fill(*FILLED)
    bare = raw.replace(b"\r\n", b"")
    bare.decode("ascii")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\0" not in bare
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    mail = opened(raw)
    assert [str(each) for each in mail.get_all("To")] == ["pat@corp.example"]
    assert mail["Bcc"] is None
    assert mail["Cc"] is None
    assert mail.defects == []
    assert [part.defects for part in mail.walk()] == [[], [], []]


def test_what_is_written_can_be_read_in_light_and_dark():
    """WCAG 2.2, 1.4.3: four and a half to one."""
    light = [("#22261f", "#ffffff"), ("#61675c", "#f7f6f2"), ("#61675c", "#ffffff"), ("#22705e", "#f7f6f2")]
    dark = [("#e8e6df", "#1d2124"), ("#a2a79c", "#15181a"), ("#a2a79c", "#1d2124"), ("#6cc5ad", "#15181a")]
    faces = [("#ffffff", "#22705e"), ("#10201c", "#6cc5ad")]
    html = parts(template().fill(*FILLED))[1].replace("#fff;", "#ffffff;")
    pairs = light + dark + faces
    assert {color for pair in pairs for color in pair if color not in html} == set()
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def contrast(one: str, other: str) -> float:
    dim, bright = sorted(luminance(color) for color in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def luminance(color: str) -> float:
    parts_ = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts_)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_addresses_in_words_can_be_clicked_and_tokens_are_not_read_out():
    token = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklm"
    said = paragraphs(f"Answer: r+{token}@mail.example\nor kim@corp.example, not @kim or a@b")
    assert f'href="mailto:r+{token}@mail.example">r+…@mail.example</a>' in said
    assert 'href="mailto:kim@corp.example">kim@corp.example</a>,' in said
    assert said.count("mailto:") == 2
