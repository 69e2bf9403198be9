"""History that programs put below an answer in forms that no list has: only the writer's own words are left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.parse.own_words import read_own_words

OWN = "Gate 7 is fine with me."
SECRET = "The alarm is 2580, keep it to yourself."


def reply(body: str, kind: str = "text/plain", subject: str = "Re: gate") -> bytes:
    head = f"From: Kim Lee <kim@corp.example>\nSubject: {subject}\nContent-Type: {kind}; charset=utf-8\n\n"
    return (head + body).replace("\n", "\r\n").encode()


BLOCKS = [
    "Odosielateľ: Omar <omar@corp.example>\nDátum: 3. 3. 2026 9:58\nPríjemca: kim@corp.example\nPredmet: gate",
    "Pošiljatelj: Omar <omar@corp.example>\nPoslano: 3. marec 2026 09:58\nZa: Kim\nZadeva: gate",
    "Siuntėjas: Omar <omar@corp.example>\nData: 2026-03-03 09:58\nKam: kim@corp.example\nTema: gate",
    "De : Omar <omar@corp.example>\nA : kim@corp.example\nEnvoyé le : 03/03/2026 09:58\nSujet : gate",
    "*Sender:* Omar <omar@corp.example>\n*Sent at:* March 3 2026 09:58\n*Recipient:* kim@corp.example",
    "From | Omar <omar@corp.example>\nDate | 3/3/2026 9:58\nTo | kim@corp.example\nSubject | gate",
    "From\tOmar <omar@corp.example>\nWhen\t3 March 2026 9:58\nTo\tkim@corp.example\nAbout\tgate",
    "From:\nOmar <omar@corp.example>\nDate:\n3 March 2026 9:58\nTo:\nkim@corp.example\nSubject:\ngate",
    "ผู้ส่ง: Omar <omar@corp.example>\nวันที่: 3/3/2026 09:58\nถึง: kim@corp.example\nเรื่อง: gate",
    "Người gửi: Omar <omar@corp.example>\nNgày: 03/03/2026 09:58\nĐến: Kim\nChủ đề: gate",
    "מאת: Omar <omar@corp.example>\nתאריך: 3/3/2026 9:58\nאל: kim@corp.example\nנושא: gate",
    "Afsendt af: Omar [mailto:omar@corp.example]\nDato: 03-03-2026 09:58\nModtager: Kim",
]
RULES = [
    "",
    "----\n",
    "====\n\n",
    "_______________\n",
    "-----Replied Message-----\n",
    "---------- Vastattu viesti ----------\n",
    "- - - - - -\n",
]
LINES = [
    "3 mars 2026 09:58, Omar Haddad <omar@corp.example>",
    "2026-03-03 09:58 Omar Haddad <omar@corp.example>:",
    "Tue, 3 Mar 2026 at 9:58 AM - Omar Haddad <omar@corp.example>",
    "03/03/2026 09:58 Omar Haddad <mailto:omar@corp.example>",
    "Omar Haddad <omar@corp.example> 3.3.2026 klo 9:58",
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_header_lines(rule, block):
    assert read_own_words(reply(f"{OWN}\n\n{rule}{block}\n\n{SECRET}")).text == OWN


@pytest.mark.parametrize("verb", ["nadesłał", "nadesłała", "napisał(a)"])
def test_polish_programs_say_sent_in(verb):
    line = f"Dnia 3 marca 2026 Omar Haddad {verb}:"
    assert read_own_words(reply(f"{OWN}\n\n{line}\n\n> {SECRET}\n> Omar")).text == OWN


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("mark", ["", "> ", "| ", ">> "])
def test_a_date_line_without_a_verb(line, mark):
    assert read_own_words(reply(f"{OWN}\n\n{line}\n\n{mark}{SECRET}\n{mark}Omar")).text == OWN


@pytest.mark.parametrize(
    "quoted",
    [
        f">>> {SECRET}\n>>> Omar",
        f"> ok\n>> and\n>>> {SECRET}",
        f"| {SECRET}\n| Omar",
        f"│ {SECRET}\n│\n│ Omar",
        f"On 3 Mar 2026, at 9:58, Omar wrote:\n\n>>> {SECRET}",
        f"On 3 Mar 2026, at 9:58, Omar wrote:\n| {SECRET}",
        f"On 3 Mar 2026, at 9:58, Omar wrote:\nOH> {SECRET}\nOH> and more",
        f"On 3 Mar 2026, at 9:58, Omar wrote:\n: {SECRET}",
        f"OH> {SECRET}\nOH> Omar",
        f"On 3 Mar 2026, at 9:58, Omar wrote:\n> A long line that the program of the sender has wrapped in the\n"
        f"middle of {SECRET}",
    ],
)
def test_marks_of_quotes(quoted):
    assert read_own_words(reply(f"{OWN}\n\n{quoted}")).text == OWN


def test_an_answer_below_a_quote_with_bars():
    assert read_own_words(reply(f"| {SECRET}\n| Omar\n\n{OWN}")).text == OWN


def test_an_answer_right_below_a_long_quoted_line_stays():
    line = "> Shall we all meet at the north gate at nine, or is ten a better time?"
    assert read_own_words(reply(f"{line}\nten, please")).text == "ten, please"


@pytest.mark.parametrize(
    "above",
    [
        "Absender: Omar Haddad\nGeschrieben: Dienstag\nEmpfänger: Kim Lee\nWegen: gate\n",
        "=====\nVerfasser: Omar\nEmpfänger: Kim Lee\nThema: RE: gate\n",
        "--- Begin Message ---",
        "--- Omar Haddad wrote ---",
        "***** Ursprüngliche Nachricht *****",
        "..... Original Message .....",
        "-------- Vidarebefordrat svar --------\nFrån: Omar\nDatum: 3 mars 2026\nTill: Kim\n",
        "Message du 03/03/26 09:58\nDe : Omar\nA : kim\nObjet : gate\n",
        "3 March 2026 09:58 Omar Haddad via Critter <post@mail.example>",
        "Zap 3 brem 2026 klo 09:58 Omar <omar@corp.example> zumbel:",
        "V V tor., 3. mar. 2026 ob 09:58 je oseba Omar Haddad <omar@corp.example> napisala:",
        "Mar 3, 2026, 09:58 by omar@corp.example:",
        "3. März 2026, 09:58 von omar@corp.example:",
        "Omar Haddad <omar@corp.example>, 2026-03-03:",
        "Omar Haddad <omar@corp.example> در ۳ مارس ۲۰۲۶ نوشت:",
        "2026. 3. 3. 오전 9:58에 Omar Haddad 이(가) 쓴 글:",
        "於 2026/3/3 上午 09:58，Omar Haddad 提到:",
        ">>> Omar Haddad <omar@corp.example> 03/03/26 9:58 AM >>>",
        ">>> Omar Haddad 3/3/2026 9:58 >>>",
        ">>> On 3/3/2026 at 9:58 AM, in message <a@corp.example>, Omar <omar@corp.example> wrote:",
        "-------- Izvirno sporočilo --------",
        "-------- Оригинално съобщение --------",
        "-------- הודעה מקורית --------",
        "-------- Thư gốc --------",
        "-------- Zumbel brem --------",
        "------------------&nbsp;原始邮件&nbsp;------------------",
        "------------------ Original ------------------",
        "From: Omar Haddad\nSubject: gate\n",
        "From: Omar Haddad Sent: Tuesday, March 3, 2026 9:58 AM To: Kim Lee Subject: dock",
        "Von: Omar Haddad Gesendet: Dienstag, 3. März 2026 09:58 An: Kim Lee Betreff: dock",
        "________________________________\nFrom: Omar Haddad\nSent: Tuesday\n",
        "Begin Original Message",
        "Original message",
        "Original Message:\n-----------------\nFrom: Omar",
        "## In replies all text above this line is added to the ticket ##",
        "Reply above this line.",
        "-- Répondre au-dessus de cette ligne --",
        "== Bitte antworten Sie oberhalb dieser Linie ==",
    ],
)
def test_what_else_stands_above_history(above):
    assert read_own_words(reply(f"{OWN}\n\n{above}\n{SECRET}")).text == OWN


@pytest.mark.parametrize(
    "block",
    [
        "מאת: Omar Haddad\nנשלח: יום שלישי 3 מרץ 2026 09:58\nאל: Kim Lee\nנושא: RE: dock",
        "จาก: Omar Haddad\nส่ง: วันอังคารที่ 3 มีนาคม 2026 09:58\nถึง: Kim Lee\nเรื่อง: dock",
        "Šalje: Omar Haddad\nPoslano: 3. ožujka 2026. 9:58\nPrima: Kim Lee\nPredmet: dock",
        "От: Omar Haddad\nИзпратено: 3 март 2026 г. 9:58\nДо: Kim Lee\nОтносно: dock",
        "Dari: Omar Haddad\nTerkirim: 3 Maret 2026 09:58\nKepada: Kim Lee\nSubjek: dock",
    ],
)
def test_blocks_right_below_the_words_and_without_addresses(block):
    assert read_own_words(reply(f"{OWN}\n{block}\n{SECRET}")).text == OWN


def test_a_sentence_right_above_an_attribution_is_no_part_of_it():
    line = "Omar Haddad <omar@corp.example> ezt írta (időpont: 2026. márc. 3., K, 9:58):"
    assert read_own_words(reply(f"{OWN}\n{line}\n> {SECRET}")).text == OWN


@pytest.mark.parametrize(
    "quote",
    [
        "<div style='border-left:2px solid #ccc;padding-left:8px'>{}</div>",
        "<div style='margin-left: 1ex; border-left: 1px solid rgb(204, 204, 204)'>{}</div>",
        "<div class='reply-quote'><p>{}</p></div>",
        "<div id='x-original-message'>{}</div>",
        "<p>＞ {}</p>",
        "<div class='gmail_quote gmail_quote_container'><div>Zum zorp<br></div><div>{}</div></div>",
        "<div style='border-right:none;border-top:1pt solid rgb(225, 225, 225);padding:3pt 0cm 0cm'><p>Zum: Omar</p>"
        "</div><p>{}</p>",
        "<div style='border-width: 1pt medium medium; border-style: solid none none; padding: 3pt 0cm'>Zum</div>{}",
        "<div class='qtdSeparateBR'><br></div><div>zum {}</div>",
        "<div class='aolReplacedBody'>zum {}</div>",
        "<div><!-- originalMessage --><div>Zum: Omar</div></div><div>{}</div>",
        "<div class='front-blockquote'>zum {}</div>",
        "<details class='email-quote'><summary>...</summary>zum {}</details>",
        "<hr data-marker='__DIVIDER__'><div>Zum: Omar</div><div>{}</div>",
        "<hr id='ecxstopSpelling'>Zum: Omar<br>{}",
    ],
)
def test_quotes_in_html(quote):
    assert read_own_words(reply(f"<div>{OWN}</div>{quote.format(SECRET)}", "text/html")).text == OWN


def test_an_answer_between_gmails_quotes_stays():
    quoted = f"<blockquote class='gmail_quote'>{SECRET}</blockquote>"
    body = f"<div>Hi.</div><div class='gmail_quote'>{quoted}<div>{OWN}</div>{quoted}</div>"
    assert OWN in read_own_words(reply(body, "text/html")).text


TABLE = (
    "<p>{own}</p><table><tr><td>From:</td><td>Omar &lt;omar@corp.example&gt;</td></tr><tr><td>Sent at:</td>"
    "<td>3 March 2026 9:58</td></tr><tr><td>Recipient:</td><td>kim@corp.example</td></tr></table><p>{secret}</p>"
)


def test_a_table_of_header_lines():
    assert read_own_words(reply(TABLE.format(own=OWN, secret=SECRET), "text/html")).text == OWN


@pytest.mark.parametrize(
    "own",
    [
        "My motto:\n\n> slow is smooth",
        "You said:\n\n> at nine?\n\nYes, at nine.",
        "> at nine?\n\nYes.\n\n> at ten?\n\nNo.",
        "Two quotes:\n> one\n> two\nboth are mine",
    ],
)
def test_own_quotes_above_the_attribution_stay(own):
    below = f"On Mar 3, 2026, at 9:58 AM, Omar <omar@corp.example> wrote:\n\n> {SECRET}\n> Omar"
    assert read_own_words(reply(f"{own}\n\n{below}")).text == own


@pytest.mark.parametrize(
    "text",
    [
        "The party:\n\nWhen: 3 March 2026, 18:00\nWhere: the yard\nBring: cake\nAsk: kim@corp.example",
        "Agenda\n\n1: roof\n2: gate\n3: fence",
        "Results:\n\nNorth: 3\nSouth: 4\nWest: 5",
        "Options:\n| a | b |\n|---|---|\n| 1 | 2 |",
        "Try this:\n>>> import os\n>>> os.getcwd()",
        "At 9:58 on 3 March 2026 we leave for Gate 7.",
        "Write to Omar <omar@corp.example> before 3 March 2026, please.",
        "Ratio: 1:2\nTime: 10:30\nPlace: yard",
        "---- Agenda ----\nfirst: roof\nthen: gate",
        "The original message was better.\n\nI keep it.",
        "From: the north gate\nTo: the yard",
        "Over this line nobody goes.\n\nPlease stay above this line of trees.",
    ],
)
def test_what_looks_like_history_and_is_none(text):
    assert read_own_words(reply(text, subject="the yard: notes")).text.endswith(text)
    assert read_own_words(reply(text)).text == text


LABELS = st.text("abcdefghijklmnopqrstuvwxyzäöüčžéабвгд", min_size=2, max_size=12).map(str.capitalize)


@given(st.lists(LABELS, min_size=4, max_size=6, unique=True), st.sampled_from(RULES), st.randoms())
def test_blocks_in_no_language_at_all(labels, rule, random):
    values = ["Omar <omar@corp.example>", "3 March 2026 09:58", "kim@corp.example", "gate", "normal", "x"]
    random.shuffle(values := values[: len(labels)])
    block = "\n".join(f"{label}: {value}" for label, value in zip(labels, values, strict=True))
    text = read_own_words(reply(f"{OWN}\n\n{rule}{block}\n\n{SECRET}")).text
    assert "2580" not in text
    assert text == OWN
