"""Language tags (BCP 47): checks that a tag is well formed and names a known language. Posts and `lang` use it."""

import re

_ISO_639_1 = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et
eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk
kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny
oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk
tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
# Languages that people text in and that have a three-letter code but no two-letter code.
_ISO_639_3 = "ast bar ceb chr ckb fil fur gsw haw hmn hsb ilo kab lij mai nan nap nds pap scn sco srn szl tpi vec yue"
KNOWN = frozenset((_ISO_639_1 + _ISO_639_3).split())
_TAG = re.compile(
    r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-x(?:-[a-z\d]{1,8})+)?"
)


def language(tag: str) -> str | None:
    """The tag as BCP 47 writes it ("pt-BR", "zh-Hant"), None when it is malformed or its language unknown."""
    match = _TAG.fullmatch(tag.lower()) if tag.isascii() and len(tag) <= 35 else None
    if match is None or match[1] not in KNOWN:
        return None
    script, region = match[2], match[3]
    parts = [match[1], script.title() if script else "", region.upper() if region else ""]
    start = "-".join(filter(None, parts))
    return start + tag.lower()[len(start) :]
