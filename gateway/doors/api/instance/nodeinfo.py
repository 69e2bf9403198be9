"""What kind of server this is (nodeinfo 2.0): several clients ask it before anything else."""

from typing import Any

from flask import Response, json

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.instance import ROUTER, figures
from gateway.doors.api.instance.abilities import API_VERSION
from gateway.version import VERSION

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/2.0"
PLACE = "/nodeinfo/2.0"


@ROUTER.get("/.well-known/nodeinfo", who="anyone")
def where(call: ApiCall) -> dict[str, list[dict[str, str]]]:
    """Where the description of this server is."""
    return {"links": [{"rel": SCHEMA, "href": call.url(PLACE)}]}


@ROUTER.get(PLACE, who="anyone")
def nodeinfo(call: ApiCall) -> Response:
    """The description. It names no protocol between servers, for this one speaks with no other."""
    found = figures.current(call)
    users = {
        "total": found.people, "activeMonth": found.active_month, "activeHalfyear": found.active_half_year,
    }  # fmt: skip
    described: dict[str, Any] = {
        "version": "2.0",
        "software": {"name": "critter", "version": VERSION},
        "protocols": [],
        "services": {"inbound": [], "outbound": ["smtp"] if call.settings.mail_domain else []},
        "openRegistrations": False,
        "usage": {"users": users, "localPosts": found.updates},
        "metadata": {
            "nodeName": call.settings.company,
            "upstream": {"name": "mastodon", "version": API_VERSION},  # whose client API this is
        },
    }
    return Response(json.dumps(described), content_type=f'application/json; profile="{SCHEMA}#"')
