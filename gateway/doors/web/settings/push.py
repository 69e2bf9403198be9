"""Pushes to the devices of whoever is signed in: the list, adding the browser in front of them, removing one, and a
test. Adding one needs a script, for only that can ask the browser."""

from dataclasses import dataclass

from flask import Response, request

from gateway.actions.preferences import push_devices
from gateway.channels import PUSH
from gateway.doors.web.settings import ROUTER
from gateway.doors.web.visits.devices import describe
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import say
from gateway.network.push import push_subscriptions
from gateway.network.push.push_subscriptions import PushKeys
from gateway.security import push_keys
from gateway.store.tables import PushSubscription

LONGEST = 1000  # of each field
PLACE = "/settings#devices"


@dataclass(frozen=True, slots=True)
class DeviceList:
    """`key`: what a browser is given when it subscribes; None where pushes are not set up. `here`: this browser gets
    pushes."""

    own: tuple[PushSubscription, ...]
    key: str | None
    here: bool


def listed(visit: Visit) -> DeviceList:
    own = tuple(push_subscriptions.list_of(visit.session, visit.account.id))
    key = push_keys.public_of(visit.settings.push_key) if PUSH in visit.settings.channels else None
    return DeviceList(own, key, any(_is_here(visit, each) for each in own))


def _is_here(visit: Visit, device: PushSubscription) -> bool:
    return visit.viewer is not None and device.session_id == visit.viewer.id


@ROUTER.post("/settings/push")
def add_device(visit: Visit) -> Response:
    """A browser subscribes, or says that its push service gave it another address: `before` is the one that it had."""
    assert visit.viewer is not None
    endpoint, p256dh, auth = (visit.form(name, LONGEST + 1) for name in ("endpoint", "p256dh", "auth"))
    device = describe(request.headers.get("User-Agent", ""))
    before = visit.form("before", LONGEST)
    visit.do(push_devices.add, PushKeys(endpoint, p256dh, auth), device, visit.viewer.id, before or None)
    if not before:
        visit.say(say("This device gets pushes now. Choose in the table what comes so."))
    return visit.back(PLACE)


@ROUTER.post("/settings/push/<int:subscription_id>/remove")
def remove_device(visit: Visit, subscription_id: int) -> Response:
    visit.do(push_devices.remove, subscription_id)
    visit.say(say("No pushes go there any more."))
    return visit.back(PLACE)


@ROUTER.post("/settings/push/test")
def send_test(visit: Visit) -> Response:
    visit.do(push_devices.send_test)
    visit.say(say("A push is on its way to your devices. Nothing shows? See that this browser may show notifications."))
    return visit.back(PLACE)
