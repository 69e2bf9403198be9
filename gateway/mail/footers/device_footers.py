"""Recognises what phones and programs put under a mail: `Sent from my iPhone`, `Get Outlook for iOS`.
signature_trimming.py calls it."""

import re
from collections.abc import Sequence

_SENT = (
    r"sent from (?:my|a|an|mobile|(?-i:[A-Z0-9]))\S*|sent (?:via|with|using|by) \S+(?: \S+)?$|sent (?:via|"
    r"with) (?:proton|tuta|yahoo|zoho|fastmail|canary|bluemail)\w*|verschickt (?:von|"
    r"mit)|gesendet (?:von|mit|über)|envoyé (?:de|depuis|"
    r"à partir|avec|via)|"
    r"envoyée? d|enviad[oa] (?:desde|de|do|da|a partir|por|com|con|via)|inviat[oa] (?:da|dal|con|tramite)|"
    r"verzonden (?:vanaf|vanuit|met|via)|verstuurd (?:vanaf|met|via)|sendt (?:fra|med|via)|skickat (?:från|med|via)|"
    r"skickades från|från min|lähetetty|wysłan[oea] (?:z|za pomocą|przez)|odesláno z|odoslané z|отправлено (?:с|из)|"
    r"надіслано з|küldve|trimis de pe|from my (?:i(?:phone|pad)|mobile|phone|cell|android|galaxy|samsung)\S*"
)
_PLAIN = re.compile(rf"^(?:{_SENT})\b\W?[^,;:!?]{{0,60}}$", re.IGNORECASE)
_EXCUSED = re.compile(
    rf"^(?:{_SENT})\b.{{0,120}}(?:excuse|typo|brevity|forgive|pardon|autocorrect|tippfehler|kürze|fautes|errores)",
    re.IGNORECASE,
)
_TURNED = re.compile(
    r"^(?:von (?:meinem|unterwegs|mein\w*) ?.{0,40} ?gesendet\.?|(?:diese (?:nachricht|e-?mail)) wurde (?:von|"
    r"mit) .{3,80} (?:gesendet|verschickt)\.?|"
    r"(?:iphone|ipad|android|.{2,25})(?:から送信|에서 보냄|’?dan gönderildi|'?den gönderildi)|"
    r".{0,30} से भेजा गया।?|.{0,20}から送信(?:されました)?。?|"
    r"发自我?的?.{1,30}|從我的.{1,20}傳送|从 ?(?:我的)?.{1,20}发送|傳送自我?的?.{1,30}|"
    r"나의 .{1,20}에서 보냄|내 .{1,20}에서 보냄|"
    r"\w{2,20} from mobile|此邮件发自.{1,30}|(?:please )?(?:excuse|forgive|pardon) (?:any |my |the )?(?:typos|"
    r"brevity|misspellings).{0,60})$",
    re.IGNORECASE,
)
_OUTLOOK = re.compile(
    r"^(?:get|obtenir|obtenez|télécharge[rz]|obtener|obtén|descarga[r]?|scarica|ottieni|obter(?: o)?|"
    r"obtenha(?: o)?|baix[ae]r?(?: o)?|transferir(?: o)?|"
    r"download|verkrijg|ontvang|hämta|skaffa|hent|få|skaff deg|last ned|pobierz(?: program| aplikację)?|"
    r"uzyskaj(?: program)?|"
    r"скачать|скачайте|получить|получите|holen sie sich|laden sie|hanki|získat|získejte|stáhnout|获取|下载|取得|下載|"
    r"holen|завантажити)\s?\S{0,30}\s?"
    r"(?:yahoo mail|outlook|gmail|bluemail|spark)\b\s?(?:<|http|for|für|pour|para|per|voor|för|til|dla|для|na|"
    r"pro|app\b).{0,80}$|"
    r"^(?:获取|下载|取得|下載).{0,30}outlook.{0,80}$|"
    r"^outlook (?:für|for|voor|pour|til|för) .{2,20}(?: beziehen| herunterladen| downloaden| abrufen| を入手|"
    r"の入手)?\s*(?:<.*>|https?://\S+)?$|"
    r"^.{0,30}outlook\w{0,4}.{0,20}(?:を入手|edinin|indirin|の入手|다운로드)\s*(?:<.*>)?\s*$|"
    r"^.{2,40}<?https?://aka\.ms/\w{5,10}>?$",
    re.IGNORECASE,
)
_MORE = (
    r"sent (?:via|using|with) the|"
    r"trimis din|στάλθηκε από|εστάλη από|απεστάλη από|đã gửi từ|được gửi từ|gửi từ|dikirim dari|poslano (?:s|sa|iz)|"
    r"poslato (?:sa|s)|изпратено от|išsiųsta iš|saadetud|nosūtīts no|enviat des|elküldve|poslano z|"
    r"dihantar dari(?:pada)?|ارسال شده از|sent (?:iz|úr)|dërguar nga|envoi de|sent from phone|senditia|sendt frå"
)
_UNSPACED = (
    r"נשלח מ|أُ?رسلت من|مرسل من|تم الإرسال من|ส่งจาก|發自|發送自|发送自|来自我的|"
    r"來自我的|გამოგზავნილია"
)  # the next word follows without a blank
_SENT_LAST = re.compile(  # languages that say at the end that it was sent
    r"^.{2,60}(?:dan gönderildi|den gönderildi|küldve|bidalia|"
    r"থেকে পাঠানো হয়েছে|से भेजा गया|에서 보냄|から送信|mobile gesendet)[.।]?$",
    re.IGNORECASE,
)
_EXCUSES = re.compile(
    r"^(?:(?:on the go|typed (?:with|on)|written (?:with|on)|sent (?:with|from)|bitte entschuldigen sie)\b.{0,60}"
    r"(?:typos?\b|errors?\b|brevity|tippfehler|kürze).{0,60}|"
    r"(?:sent from|sent with|secured with|enviado desde|envoyé de|gesendet von) "
    r"(?:.{1,24}(?:https?://\S+|www\.\S+)\)?|.{1,60}(?:disculpa|excuser).{0,30})|"
    r"yahoo mail: search, organize, conquer|原始-{2,}发自.{1,30}|sent from (?:phone|mobile)|"
    r"envoi de mon (?:portable|mobile|téléphone|iphone)|poslano z mojega .{1,30}|"
    r"(?:hanki|hankige) outlook\b.{0,30})$",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"phone|handy|mobil|móvil|cell|tablet|ipad|ipod|iphone|galaxy|android|samsung|huawei|xiaomi|redmi|nokia|motorola|"
    r"pixel|oneplus|oppo|honor|blackberry|windows|surface|mac ?book|\bmac\b|watch|\b[45]g\b|lte|verizon|t-mobile|at&t|"
    r"vodafone|telekom|o2|orange|network|netz|réseau|\bapp\b|e-?mail\b|outlook|gmail|yahoo|proton|device|gerät|"
    r"appareil|dispositiv|apparaat|enhed|enhet|laite|urządzeni|zařízení|zariadeni|telefon|téléphone|teléfono|telefoon|puhelin|"
    r"телефон|устройств|пристро|смартфон|cihaz|eszköz|τηλέφωνο|κινητό|συσκευή|điện thoại|ponsel|perangkat|"
    r"手机|手機|電話|携帯|スマート|邮件|郵件|휴대|আইফোন|טלפון|נייד|هاتف|جوال|โทรศัพท์",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?!]|\b(?:please|bitte|por favor|s'il vous|could|can you|we|you|ich|wir|nous|yesterday|today)\b", re.I
)
_LONG_SENT = re.compile(rf"^(?:(?:{_SENT}|{_MORE})\b|{_UNSPACED}).{{1,120}}$", re.IGNORECASE)
_MOST_WORDS = 16
_TRACKERS = (
    r"mailtrack|mailsuite|streak|boomerang|yesware|hubspot|mixmax|superhuman|polymail|bananatag|docsify|snov\.io|"
    r"mailbutler|shortwave|newton|readdle|salesloft|gmelius"
)
_TRACKED = re.compile(
    rf"\W*(?:{_TRACKERS})[\W\d]*|(?:\[?[^\]]{{0,30}}\]\s*)?(?:\w+ )?(?:sent|notified|tracked|powered|made|scheduled|"
    rf"secured|verified|enviado|gesendet|envoyé|notificad[oa]|notifié|benachrichtigt|inviato)\b.{{0,40}}\b(?:{_TRACKERS})\b.{{0,60}}",
    re.IGNORECASE,
)
_DOT = "\u1427"  # a tracker puts it under a mail in Gmail, white on white
_EDGES = " \t(<>)[]*_~|.–—-"
_LINKS = re.compile(r"<?https?://[^\s>]*>?")
_LEAST_WRAPPED, _MOST_WRAPPED = 2, 8  # lines
_LAST = 4  # lines with text; a match further up is taken for a sentence
_LONGEST = 160


def is_device(line: str) -> bool:
    """Whether a phone or a mail program added this line."""
    if line.strip(f" \t{_DOT}") == "":
        return _DOT in line
    bare = re.sub(r"\s*<(?:https?:|mailto:)[^>]*>\s*$", "", line.strip())
    if not bare or len(line) > _LONGEST or bare.startswith(">"):
        return False
    inner = bare.strip(_EDGES)
    if _OUTLOOK.match(line.strip(_EDGES)) or _OUTLOOK.match(inner) or _TURNED.match(inner) or _EXCUSED.match(inner):
        return True
    if _EXCUSES.match(inner) or (_SENT_LAST.match(inner) and _DEVICE.search(inner) and not _ASKS.search(inner)):
        return True
    if _TRACKED.fullmatch(inner) and not _ASKS.search(inner):
        return True
    return (bool(_PLAIN.match(inner)) and len(inner.split()) <= 9) or _names_a_device(inner)


def _names_a_device(inner: str) -> bool:
    """Whether it is a long line of that kind, with commas and the names of a carrier and a phone, and no sentence."""
    sent = _LONG_SENT.match(inner)
    return bool(sent and _DEVICE.search(inner) and not _ASKS.search(inner)) and len(inner.split()) <= _MOST_WORDS


def _tracker_paragraph(lines: Sequence[str], written: list[int]) -> int | None:
    """The line where the last paragraph begins, if a tracker wrote all of it, wrapped over several lines with links."""
    if len(written) < _LEAST_WRAPPED:
        return None
    start = written[-1]
    while start > 0 and lines[start - 1].strip() and written[-1] - start < _MOST_WRAPPED:
        start -= 1
    joined = " ".join(line.strip() for line in lines[start : written[-1] + 1])
    bare = " ".join(_LINKS.sub(" ", joined).split()).strip(_EDGES)
    begins_below = start > written[0] and not lines[start - 1].strip()
    return start if begins_below and _TRACKED.fullmatch(bare) and not _ASKS.search(bare) else None


def without_device(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines without a device line, and those removed: it and all below, or it alone when it is the first."""
    written = [at for at, line in enumerate(lines) if line.strip()]
    if (start := _tracker_paragraph(lines, written)) is not None:
        return list(lines[:start]), list(lines[start:])
    at = len(lines)
    while written and is_device(lines[written[-1]]):
        at = written.pop()
    near = written[-_LAST:]
    at = next((each for each in near if is_device(lines[each])), at)
    if written and at == written[0]:
        return list(lines[at + 1 :]), [lines[at]]
    return list(lines[:at]), list(lines[at:])
