"""Names of time zones that neither the IANA database nor CLDR has: big cities in the zone of another, and short names.

time_zones.py looks them up. They are written as it folds them: in lower case, without accents and full stops."""

from typing import Final

# Countries with several zones in which nearly everybody has one; the list of CLDR (metaZones.xml, primaryZones).
MAIN_ZONES: Final = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "MH": "Pacific/Majuro", "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent",
    "AR": "America/Argentina/Buenos_Aires",
}  # fmt: skip

_CITIES: Final = {
    "America/New_York": "boston, washington, washington dc, miami, atlanta, philadelphia, charlotte, orlando, tampa"
    ", nyc, pittsburgh, cleveland, baltimore",
    "America/Chicago": "dallas, houston, austin, san antonio, minneapolis, new orleans, st louis, nashville"
    ", kansas city, milwaukee, memphis",
    "America/Denver": "salt lake city, albuquerque, el paso, colorado springs",
    "America/Phoenix": "tucson, arizona",
    "America/Los_Angeles": "san francisco, seattle, san diego, portland, las vegas, san jose, sacramento, oakland, la"
    ", california",
    "America/Toronto": "ottawa, montreal, quebec",
    "America/Edmonton": "calgary",
    "America/Mexico_City": "guadalajara, puebla, ciudad de mexico, cdmx",
    "America/Sao_Paulo": "rio, rio de janeiro, brasilia",
    "America/Bogota": "medellin, cali",
    "Europe/London": "edinburgh, manchester, birmingham, glasgow, cardiff, uk, england, scotland, wales, britain",
    "Europe/Madrid": "barcelona, valencia, sevilla, seville, bilbao, malaga, zaragoza",
    "Europe/Berlin": "munich, munchen, hamburg, frankfurt, cologne, koln, stuttgart, dusseldorf, leipzig",
    "Europe/Paris": "lyon, marseille, toulouse, nice, bordeaux",
    "Europe/Rome": "milan, milano, naples, turin, florence, venice",
    "Europe/Zurich": "geneva, basel, bern",
    "Europe/Amsterdam": "rotterdam, the hague, holland",
    "Europe/Warsaw": "krakow, gdansk",
    "Europe/Moscow": "st petersburg",
    "Asia/Kolkata": "mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, pune",
    "Asia/Shanghai": "beijing, shenzhen, guangzhou",
    "Asia/Tokyo": "osaka, kyoto, yokohama",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Asia/Dubai": "abu dhabi, uae",
    "Asia/Jerusalem": "tel aviv",
    "Australia/Sydney": "canberra",
    "Pacific/Auckland": "wellington, christchurch",
    "Africa/Johannesburg": "cape town, durban, pretoria",
}
CITIES: Final = {city: zone for zone, cities in _CITIES.items() for city in cities.split(", ")}

# IANA's own EST and MST never change their clocks, which nobody means who lives there.
_SHORT: Final = {
    "America/New_York": "est, edt, et, eastern, us eastern, new york city, este",
    "America/Chicago": "cst, cdt, ct, central, us central, centro",
    "America/Denver": "mst, mdt, mt, mountain, us mountain, montana",
    "America/Los_Angeles": "pst, pdt, pt, pacific, us pacific, pacifico",
    "America/Anchorage": "akst, akdt, alaska",
    "Pacific/Honolulu": "hst, hawaii",
    "Europe/Berlin": "cest, central european",
    "Europe/Lisbon": "west",
    "Europe/London": "bst",
    "Europe/Athens": "eest",
    "Asia/Tokyo": "jst",
    "Asia/Kolkata": "ist",
    "Australia/Sydney": "aest, aedt",
    "UTC": "utc, z, zulu, universal, coordinated universal",
    "Etc/GMT": "gmt, greenwich, greenwich mean",
}
SHORT_NAMES: Final = {name: zone for zone, names in _SHORT.items() for name in names.split(", ")}

# Names of zones that are ordinary words, too: whoever writes nothing else is asked.
ORDINARY: Final = frozenset(
    [
        "act",
        "center",
        "central",
        "centro",
        "east",
        "easter",
        "eastern",
        "este",
        "north",
        "mountain",
        "pacific",
        "pacifico",
        "south",
        "wake",
        "west",
        "z",
    ]
)
