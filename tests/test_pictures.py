"""Pictures of texts: fetched with our credentials from Twilio alone, checked by their bytes, kept once."""

import asyncio
import hashlib
import struct

import pytest
import requests
from sqlalchemy import Engine, select

from gateway.bell import Bell
from gateway.carriers.twilio_media import Fetched, TwilioMedia, sniffed
from gateway.errors import CarrierError
from gateway.ledger import inbox
from gateway.ledger.inbox import Incoming, Picture
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Installation, Media
from tests.simulation import ACCOUNT, OURS, SAM, TOKEN, Simulation, simulation
from workers.loop import Loop
from workers.pictures import step
from workers.room import Room

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
DIGEST = hashlib.sha256(PNG).digest()


def fetch(api_base: str, url: str) -> bytes:
    return asyncio.run(TwilioMedia("AC" + "0" * 32, "token", api_base).fetch(url)).content


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f000001/",
        "https://api.twilio.com.attacker.example/x",
        "https://api.twilio.com@127.0.0.1/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_foreign_addresses_are_never_asked(url: str) -> None:
    with pytest.raises(CarrierError) as caught:
        fetch("https://api.twilio.com", url)
    assert (caught.value.kind, caught.value.reason) == ("permanent", "not Twilio's address")


def test_a_store_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inside(*_: object) -> list[dict[str, object]]:
        return [{"hostname": "x", "host": "10.0.0.1", "port": 443, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", inside)
    with pytest.raises(CarrierError, match="not a public address"):
        fetch("https://api.twilio.com", "https://media.twiliocdn.com/x")


def test_types_are_what_the_bytes_say() -> None:
    assert sniffed(PNG) == "image/png"
    assert sniffed(b"<svg onload=alert(1)>") == "application/octet-stream"
    assert sniffed(b"\0\0\0\x18ftypmp42") == "video/mp4"


def sent_picture(sim: Simulation) -> str:
    """Where the carrier keeps the picture of a text that Sam just sent."""
    files = {"media": ("van.png", PNG, "image/png")}
    answer = requests.post(f"{sim.url}/phones/{SAM}/texts", data={"body": "the van"}, files=files, timeout=10)
    assert answer.status_code == 201
    return str(sim.heard.forms("/sms/inbound")[-1]["MediaUrl0"])


def test_fetched_from_the_carrier() -> None:
    with simulation() as sim:
        place = sent_picture(sim)
        media = TwilioMedia(ACCOUNT, TOKEN, sim.url)
        assert asyncio.run(media.fetch(place)) == Fetched(PNG, "image/png")
        with pytest.raises(CarrierError, match="404"):
            asyncio.run(media.fetch(place + "0"))
        with pytest.raises(CarrierError, match="401"):
            asyncio.run(TwilioMedia(ACCOUNT, "another token", sim.url).fetch(place))


def test_a_worker_keeps_it(engine: Engine, settings: Settings) -> None:
    with simulation() as sim:
        place = sent_picture(sim)
        accepted(engine, place)
        there = settings.model_copy(
            update={"twilio_account_sid": ACCOUNT, "twilio_auth_tokens": (TOKEN,), "twilio_api_base": sim.url}
        )
        room = Room(there, engine, Bell(settings.redis_url), "test", Loop())
        assert step(room)
        assert not step(room)
    with transaction(engine) as session:
        row = session.scalars(select(Media)).one()
        assert (row.state, row.size, row.content_type, row.sha256) == ("fetched", len(PNG), "image/png", DIGEST)
    assert (settings.var / "media" / DIGEST.hex()[:2] / DIGEST.hex()).read_bytes() == PNG


def test_a_refused_address_is_not_tried_again(engine: Engine, settings: Settings) -> None:
    accepted(engine, "https://attacker.example/x")
    room = Room(settings, engine, Bell(settings.redis_url), "test", Loop())
    assert step(room)
    assert not step(room)
    with transaction(engine) as session:
        row = session.scalars(select(Media)).one()
        assert (row.state, row.reason) == ("failed", "not Twilio's address")


def accepted(engine: Engine, place: str) -> None:
    pictures = (Picture(place, "image/png"),)
    incoming = Incoming("sms", b"SM1", SAM, (OURS,), b"", True, text="the van", pictures=pictures)
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
        session.flush()
        inbox.accept(session, inbox.hash_key(session), [incoming])
