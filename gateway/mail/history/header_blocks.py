"""Recognises the beginning of a mail without quote marks: `-----Original Message-----`, or Outlook's block of headers.

quote_trimming.py calls it. Everything from there on is somebody else's."""

import re
from collections.abc import Sequence

from gateway.mail.history.attributions import VERBS

_ORIGINALS = (
    r"original|ursprüngliche|originale?|d.origine|initial|oorspronkelijke?|oprindelig|ursprungligt|opprinnelig|"
    r"oryginalna|alkuperäinen|původní|pôvodná|eredeti|исходное|вихідне|orijinal|özgün|reply|antwort|原始|原邮件|"
    r"原来的|元の|원본|asal|asli|izvirno|izvorna|izvorno|originele|оригинално|оригінальне|оригинална|sākotnējais|"
    r"originalus|pradinis|αρχικό|upprunaleg|upphaflegur?|jatorrizko|gwreiddiol|الأصلية|מקורית|ต้นฉบับ|gốc|मूल|اصلی"
)
_MESSAGES = (
    r"message|appointment|nachricht|mail|e-mail|mensaje|messaggio|bericht|mensagem|meddelelse|besked|meddelande|"
    r"melding|wiadomość|viesti|zpráva|správa|üzenet|сообщение|повідомлення|ileti|mesaj|邮件|郵件|メッセージ|메시지|메일|"
    r"isi|pesan|mesej|sporočilo|poruka|съобщение|порука|ziņojums|vēstule|laiškas|žinutė|μήνυμα|skilaboð|póstur|"
    r"missatge|mensaxe|mezua|neges|الرسالة|הודעה|ข้อความ|thư|tin nhắn|संदेश|پیام"
)
_ORIGINAL = re.compile(
    rf"^[>\s*]*(?:[-_‐–—]{{2,}}+|[*=.~#]{{2,}}+)\s*(?:begin message|"
    rf"(?:{_ORIGINALS})\s?(?:{_MESSAGES})|(?:{_MESSAGES})\s(?:{_ORIGINALS})|"
    r"originalnachricht|algkiri|algne kiri|ข้อความต้นฉบับ)\s*(?:[-_‐–—*=.~#]{2,}[\s*]*)?$",
    re.IGNORECASE,
)
_BARE_TITLE = re.compile(r"[>\s*]*-{6,}\s*(?:original|原始)\s*-{6,}\s*", re.IGNORECASE)
_LONGEST_TITLE = 200
_LONGEST_LINE = 600
_WROTE = re.compile(rf"^[>\s*]*[-_=‐–—]{{2,}}\s.{{2,80}}\b(?:{VERBS})\s*[:：]?\s*[-_=‐–—]{{2,}}\s*$", re.IGNORECASE)
_ANY_TITLE = re.compile(r"\*?(?P<rule>-{5}|-{8,10})(?P<pad> ?)[^\W\d_][^\n:.!?-]{2,40}(?P=pad)(?P=rule)\*?")
_NAMES = {
    "from": "From|Von|De|Da|Van|Fra|Från|Od|Lähettäjä|От|Від|Kimden|Feladó|De la|Από|"
    "发件人|寄件者|差出人|送信者|보낸 사람|보낸사람|מאת|مِ?ن|از|"
    "จาก|ผู้ส่ง|Từ|Người gửi|Dari|Šalje|Pošiljatelj|Saatja|Sūtītājs|"
    "Nuo|Siuntėjas|Nga|प्रेषक|Frá|Odosielateľ|Odesílatel",
    "sent": "Sent|Date|Gesendet|Datum|Envoyé(?: le)?|Enviado(?: el| em)?|Enviada(?: em)?|Fecha|Inviato|Data|Verzonden|"
    "Sendt|Dato|Skickat|Wysłano|Odesláno|Lähetetty|Päivämäärä|Отправлено|Дата|Надіслано|Gönderildi|Tarih|Elküldve|"
    "Trimis|נשלח|תאריך|تم الإرسال|التاريخ|ارسال شده|تاریخ|"
    "ส่ง|วันที่|Đã gửi|Ngày|Terkirim|Dikirim|Tanggal|Poslano|Послато|"
    "Saadetud|Kuupäev|Nosūtīts|Datums|Išsiųsta|Изпратено|Enviat(?: el)?|Dërguar|भेजा गया|दिनांक|"
    "Odoslané|Dátum|Ημερομηνία|"
    "Στάλθηκε|发送时间|发送日期|日期|寄件日期|送信日時|日時|보낸 날짜|날짜",
    "to": "To|An|À|A|Para|Aan|Til|Till|Do|Komu|Vastaanottaja|Кому|Kime|Címzett|Către|Προς|收件人|宛先|받는 사람|"
    "אל|إلى|به|ถึง|Đến|Tới|Kepada|"
    "Prima|Za|Adressaat|Saaja|Kam|Gavėjas|До|За|Per a|Për|प्रति|Príjemca",
    "subject": "Subject|Betreff|Objet|Asunto|Oggetto|Onderwerp|Assunto|Emne|Ämne|Temat|Předmět|Aihe|Тема|Konu|Tárgy|"
    "Subiect|Θέμα|主题|主旨|件名|제목|נושא|الموضوع|موضوع|เรื่อง|"
    "Chủ đề|Tiêu đề|Subjek|Perihal|Predmet|Zadeva|Teema|Tēma|Tema|Относно|Предмет|विषय|Efni|Sujet",
    "cc": "Cc|Bcc|Kopie|Kopia|Kopi|Copie|CC|DW|Kopia do|Копия|抄送|副本|참조|Reply-To|Antwort an|Répondre à",
}
_HEADER = re.compile(
    r"^[>*\s|]*\*?(?:" + "|".join(f"(?P<{kind}>{names})" for kind, names in _NAMES.items()) + r")\s*\*?\s*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"[>\s]*[-_‐–—]{5,}\s*")
_ADDRESS = re.compile(r"@[\w-]")
_TIME = re.compile(r"\d[:.]\d\d")
_IN_ONE = re.compile(r"^[>*\s]*\*?From:.{0,200}@.{0,200}\b(?:Date|Sent):.{0,60}\d", re.IGNORECASE)
_ALL_IN_ONE = re.compile(  # From:, Sent: and To: or Subject: in one line, in the order of Outlook
    rf"^[>*\s]{{0,9}}(?:{_NAMES['from']})\s?[:：].{{2,120}}?\s\*{{0,2}}(?:{_NAMES['sent']})\s?[:：].{{4,80}}?\s\*{{0,2}}"
    rf"(?:{_NAMES['to']}|{_NAMES['subject']})\s?[:：]",
    re.IGNORECASE,
)
_BARE_ORIGINAL = re.compile(
    rf"(?:begin )?(?:(?:{_ORIGINALS})\s?(?:{_MESSAGES})|(?:{_MESSAGES})\s(?:{_ORIGINALS}))\s*[:：]?", re.IGNORECASE
)
_WITHIN = 12  # lines; long lists of recipients are folded


def original(line: str) -> bool:
    """Whether it is `-----Original Message-----` in any language, with any kind of dashes."""
    if line.lstrip("> *\t")[:1] not in "-_‐–—=.~#" and not line.lstrip("> \t").startswith("**"):
        return False
    line = line.replace("&nbsp;", " ")
    if _BARE_TITLE.fullmatch(line):
        return True
    return len(line) < _LONGEST_TITLE and bool(_ORIGINAL.match(line) or _WROTE.match(line))


def title(line: str) -> bool:
    """Whether it says "original message" without dashes, or has the dashes and any words: programs put 5 or 8 to 10
    of them on both sides. Only a reply is cut there, because people may write headings like this."""
    bare = line.strip()
    return len(line) < 100 and bool(_ANY_TITLE.fullmatch(bare) or _BARE_ORIGINAL.fullmatch(bare))


def author_and_subject(lines: Sequence[str]) -> bool:
    """Whether the first two lines are the header lines of a mail's author and its subject."""
    found = [match.lastgroup for line in lines[:2] if (match := _HEADER.match(line))]
    return found == ["from", "subject"]


def header_block(lines: Sequence[str], at: int) -> bool:
    """Whether a header block, or a rule above one, begins here: three kinds of lines, or two with address and time."""
    first = lines[at]
    if _IN_ONE.match(first) or (len(first) < _LONGEST_LINE and _ALL_IN_ONE.match(first)):
        return True
    if _RULE.fullmatch(first):
        below = next((at + step for step in (1, 2, 3) if at + step < len(lines) and lines[at + step].strip()), None)
        return (
            below is not None
            and bool(_HEADER.match(lines[below]))
            and (header_block(lines, below) or _headers(_near(lines, below)).keys() >= {"from", "sent"})
        )
    if not _HEADER.match(first):
        return False
    found = _headers(_near(lines, at))
    said = " ".join(found.values())
    enough = len(found) >= 3 or (bool(_ADDRESS.search(said)) and bool(_TIME.search(said)))
    return len(found) >= 2 and enough and not found.keys() <= {"to", "subject", "cc"}


def _headers(lines: Sequence[str]) -> dict[str, str]:
    """The header lines by their kind. It stops after several repeated kinds, which show that this is no block."""
    found: dict[str, str] = {}
    again = 0
    for line in lines:
        match = _HEADER.match(line)
        if match and match.lastgroup:
            again += match.lastgroup in found
            found.setdefault(match.lastgroup, line[:400])
        if again > 1:
            break
    return found


def _near(lines: Sequence[str], at: int) -> list[str]:
    """The lines from here on that can belong to one block; two blank lines end it."""
    near, blank = [], 0
    for line in lines[at : at + _WITHIN]:
        blank = 0 if line.strip() else blank + 1
        if blank > 1:
            break
        near.append(line)
    return near
