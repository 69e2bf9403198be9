"""How many parts a text is sent in (GSM 03.38 or UCS-2); the REST API and the price ask."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "^{}\\[~]|€\f"
_SEPTETS = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENDED, 2)}


def segments(body: str) -> int:
    """Parts of a text: 160/153 septets, or 70/67 UTF-16 units when one character is outside GSM 03.38."""
    try:
        length, single, several = sum(map(_SEPTETS.__getitem__, body)), 160, 153
    except KeyError:
        length, single, several = len(body.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if length <= single else -(-length // several)
