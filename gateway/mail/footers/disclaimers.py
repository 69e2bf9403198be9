"""Recognises what neither the writer nor their program wrote: gateway banners, legal notices, antivirus and list lines.

signature_trimming.py removes the footers, quote_trimming.py the banners."""

import re
from collections.abc import Sequence

_THIS = (
    r"(?:this|the (?:information|contents?) (?:contained )?(?:in|of) this) (?:e-?mail|email|message|"
    r"communication|transmission)|"
    r"diese (?:e-?mail|nachricht)|der inhalt dieser e-?mail|ce (?:message|courriel|mail|e-?mail)|cet e-?mail|"
    r"este (?:mensaje|correo|e-?mail)|esta mensagem|este e-?mail|questo messaggio|questa e-?mail|"
    r"le informazioni contenute in questo|dit (?:e-?mail)?bericht|deze e-?mail|de informatie in (?:dit|deze)|"
    r"detta (?:meddelande|e-?post)|denne (?:e-?mail|e-?post|meddelelse|mail)|ta wiadomość|niniejsza wiadomość|"
    r"treść tej wiadomości|настоящее (?:сообщение|письмо)|это (?:сообщение|письмо)|данное сообщение|"
    r"本邮件|本電子郵件|此邮件|"
    r"このメール|本メール|이 메일"
)
_KEPT = (
    r"confiden|privileged|intended (?:only |solely )?for|intended recipient|vertraulich|nur für den|destinat|"
    r"destinée?|"
    r"reservad|riservat|vertrouwelijk|geadresseerde|bestemd|fortroli|konfident|poufn|конфиденциал|предназнач|机密|保密|"
    r"機密|秘密|virus|viren|기밀"
)
_LEGAL = re.compile(rf"^[*_\s]*+(?:{_THIS}).{{0,400}}(?:{_KEPT})", re.IGNORECASE)
_TITLE = re.compile(
    r"^[*_\s]*+(?:confidential(?:ity)?(?: notice| note| statement)?|disclaimer|legal (?:notice|disclaimer)|"
    r"privileged (?:and|&) confidential|haftungsausschluss|rechtlicher hinweis|"
    r"vertraulichkeitshinweis|avis de confidentialité|clause de confidentialité|aviso (?:legal|de confidencial\w+)|"
    r"cláusula de confidencialidad|avviso di riservatezza|aviso legal|ansvarsfraskrivelse|"
    r"klauzula poufności|"
    r"конфиденциальность|免责声明|保密声明)[*_\s]*(?:[:：.](?P<more>.*))?$",
    re.IGNORECASE,
)
_KEEPING = re.compile(_KEPT, re.IGNORECASE)
_TREES = re.compile(
    r"^\W*+(?:please (?:consider|think)|denken sie|bitte (?:denken|prüfen) sie|pensez à|piense|antes de imprimir|"
    r"pensa all|prima di stampare|denk aan het milieu|tänk på miljön).{0,60}"
    r"(?:environment|print|umwelt|drucken|environnement|imprim|medio|ambiente|stamp|milieu|miljö)",
    re.IGNORECASE,
)
_VIRUS = re.compile(
    r"^\W*+(?:virus-?(?:free|frei)|virenfrei|garanti sans virus|sans virus|libre de virus|privo di virus|"
    r"livre de vírus|"
    r"virusvrij|virusfri|nie zawiera wirusów|без вирусов|не содержит вирусов)\b.{0,60}$|"
    r"^\W*+(?:this|diese|ce|este|questo|dit) .{0,30}(?:checked for viruses|scanned (?:by|for)|"
    r"auf viren (?:geprüft|untersucht)|avast|avg).{0,80}$|^.{0,30}(?:avast|avg)\.com.{0,30}$",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^\W*+(?:you (?:received|are receiving) this (?:message|email|e-mail|mail) because|to unsubscribe|"
    r"to view this discussion|"
    r"to post to this group|for more options, visit|unsubscribe:?\s|list info:|sie (?:erhalten|"
    r"haben) diese (?:nachricht|e-?mail)|"
    r"vous (?:recevez|avez reçu) ce message|has recibido este mensaje|recibiste este mensaje|"
    r"hai ricevuto questo messaggio|"
    r"você (?:recebeu|está recebendo) essa mensagem|u ontvangt dit bericht|view (?:it )?on github|"
    r"reply to this email directly)",
    re.IGNORECASE,
)
_LIST_NAME = re.compile(
    r"^\S.{0,60}(?:mailing list|mailinglist|mailingliste|liste de diffusion|lista de correo).{0,40}$", re.I
)
_MEETING = re.compile(
    r"^\W*+(?:microsoft teams(?: meeting|-besprechung|-vergadering|-möte|-møde|-møte| need help\?)?|"
    r"réunion microsoft teams|reunión de microsoft teams|"
    r"riunione (?:di|in) microsoft teams|reunião (?:do|no) microsoft teams|spotkanie w usłudze microsoft teams|"
    r"join (?:the meeting now|microsoft teams meeting|zoom meeting|with google meet)|"
    r"jetzt an der besprechung teilnehmen|"
    r"an zoom-meeting teilnehmen|.{1,60} is inviting you to a scheduled zoom meeting|"
    r".{1,60} hat sie zu einem geplanten zoom-meeting eingeladen|google meet joining info).{0,20}$",
    re.IGNORECASE,
)
_BANNER = re.compile(
    r"^[\W_]*(?:(?:caution|warning|notice|attention|achtung|vorsicht|avertissement|attenzione|let op|"
    r"external(?: e-?mail| sender)?|extern(?:e e-?mail)?)\b"
    r"[\W_]+.{0,40}(?:external|outside|originated|extern|außerhalb|extérieur|esterno|buiten)|"
    r"(?:this (?:e-?mail|message) (?:originated|came|was sent) from (?:outside|an external))|"
    r"(?:you don't often get email from)|(?:some people who received this message don't often get email from)|"
    r"(?:sie erhalten nicht (?:oft|häufig) e-?mails von))",
    re.IGNORECASE,
)
_RULED = re.compile(r"\s*[_*=~-]{5,}\s*")


def footer(lines: Sequence[str]) -> int:
    """The line where the footers begin, never the first line; the number of lines when there are none."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for at in range(first + 1, len(lines)):
        if _foots(lines, at):
            return _ruled(lines, at)
    return len(lines)


def banner(lines: Sequence[str]) -> int:
    """The number of lines at the top that a mail gateway added: a paragraph that warns of mail from outside."""
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None or not _BANNER.match(lines[first]):
        return 0
    return next((at for at in range(first, len(lines)) if not lines[at].strip()), 0)


def is_notice(line: str) -> bool:
    """Whether a line is part of a legal notice, or comes from a virus scanner or a list."""
    line = line[:600]
    return any(each.match(line) for each in (_TREES, _VIRUS, _LIST, _TITLE, _LEGAL)) or bool(_KEEPING.search(line))


def _foots(lines: Sequence[str], at: int) -> bool:
    line = lines[at][:600]
    if not line or line[0] == ">":
        return False
    if any(each.match(line) for each in (_TREES, _VIRUS, _LIST)):
        return True
    if _LIST_NAME.match(line):
        return _RULED.fullmatch(lines[at - 1]) is not None
    if title := _TITLE.match(line):
        return not title["more"] or bool(_KEEPING.search(" ".join(lines[at : at + 6])[:600]))
    if _MEETING.match(line):
        return _RULED.fullmatch(lines[at - 1]) is not None or "zoom" in line.lower()
    return not lines[at - 1].strip(" _*-") and bool(_LEGAL.match(" ".join(lines[at : at + 6])[:600]))


def _ruled(lines: Sequence[str], at: int) -> int:
    """Includes a rule above the footer, with blank lines between."""
    above = at
    while above > 0 and not lines[above - 1].strip():
        above -= 1
    return above - 1 if above > 0 and _RULED.fullmatch(lines[above - 1]) else at
