"""What phones and people put under their mails: "-- ", "Sent from my …", "Kind regards". quotes.py takes it off."""

import re

_DEVICE = re.compile(
    r"^[\s(_*]*(?:Sent (?:from|via|with)\b|Get Outlook for|Gesendet (?:von|mit)\b|"
    r"Von meinem .{2,30} gesendet|Diese Nachricht wurde von meinem|"
    r"Envoyé (?:de|depuis|à partir)\b|Obtenez Outlook|Enviado (?:desde|de|do|a partir|por)\b|"
    r"Enviada? d[oe]\b|Obtener Outlook|Inviato da[l ]|"
    r"Scarica Outlook|Verzonden (?:vanaf|vanuit|met)\b|Verstuurd vanaf|Sendt fra|Skickat från|Lähetetty\b|"
    r"Wysłan[oe] z|"
    r"Odesláno z|Отправлено (?:с|из)\b|Obter o Outlook|Outlook für .{2,20} beziehen|Holen Sie sich Outlook|"
    r"iPhone(?:から送信| 에서 보냄)|发自我的|從我的.{1,20}傳送|나의 .{1,20}에서 보냄).{0,90}$",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"^(?:(?:best|kind|warm|many thanks and|with (?:best|kind)) ?(?:regards|wishes)?|regards|cheers|"
    r"thanks|thank you|many thanks|"
    r"sincerely|yours(?: sincerely| truly)?|all the best|mit freundlichen gr(?:ü|ue)(?:ß|ss)en|(?:viele|"
    r"liebe|beste|schöne) gr(?:ü|ue)(?:ß|ss)e|"
    r"gru(?:ß|ss)|mfg|lg|vg|cordialement|bien à vous|bonne journée|salutations|saludos|un saludo|atentamente|gracias|"
    r"cordiali saluti|saluti|met vriendelijke groet(?:en)?|groeten|atenciosamente|abraços|obrigad[oa]|"
    r"med vänliga hälsningar|"
    r"hälsningar|mvh|med venlig hilsen|vennlig hilsen|hilsen|pozdrawiam|z poważaniem|terveisin|с уважением)[,.! ]*$",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"^(?:confidential(?:ity)? notice|disclaimer|haftungsausschluss|avis de confidentialité)\b", re.IGNORECASE
)
_DELIMITER = re.compile(r"\s*(?:--|—|–)\s*")
_RULE = re.compile(r"\s*_{10,}\s*")
_LONGEST_FAREWELL = 5
_LONGEST_LOOSE = 12


def without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines above the signature, and the signature."""
    at = min((_delimiter(lines), _notice(lines)))
    at = _device(lines[:at])
    at = _farewell(lines[:at])
    return lines[:at], lines[at:]


def _delimiter(lines: list[str]) -> int:
    """The exact "-- " ends a mail wherever it stands (RFC 3676); a looser one only when little follows."""
    for at, line in enumerate(lines):
        loose = _DELIMITER.fullmatch(line) or _RULE.fullmatch(line)
        if line == "-- " or (loose and len(lines) - at <= _LONGEST_LOOSE):
            return at
    return len(lines)


def _notice(lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines) if at and _NOTICE.match(line)), len(lines))


def _device(lines: list[str]) -> int:
    """A device's line among the last few; what stands below it is a part of it."""
    written = [at for at, line in enumerate(lines) if line.strip()][-4:]
    return next((at for at in written if _DEVICE.match(lines[at])), len(lines))


def _farewell(lines: list[str]) -> int:
    """A farewell with a name below it, and text above."""
    written = [at for at, line in enumerate(lines) if line.strip()]
    for at in written[1:][-_LONGEST_FAREWELL:]:
        below = [lines[each] for each in written if each > at]
        if below and _FAREWELL.match(lines[at].strip()) and all(len(line) < 60 for line in below):
            return at
    return len(lines)
