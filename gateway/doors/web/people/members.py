"""What an owner does about a group's people: add, remove, let run or post, let in or refuse who asks."""

from flask import Response

from gateway.actions.groups import join_requests, membership
from gateway.actions.groups.join_requests import Decision
from gateway.actions.groups.membership import POSTS, READS, MemberChange
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.people.directory import find, find_named


@ROUTER.post("/@<handle>/people/add")
def add(visit: Visit, handle: str) -> Response:
    """`who`: a name or a handle; `role`: of a broadcast group."""
    group = find_named(named.group(visit, handle))
    role = visit.form("role", 10)
    person = _typed(visit, visit.form("who", 60))
    return _told(visit, group, visit.do(membership.add, person, group, role if role in (READS, POSTS) else READS))


def _typed(visit: Visit, name: str) -> NamedAccount:
    found = find(visit.session, name.lstrip("@"), visit.account.id).exact
    people = [each for each in found if each.kind == "person"]
    if len(people) > 1:
        raise refusal("several_called", name=name[:40])
    if not people:
        raise refusal("nobody_called", name=name[:40])
    return people[0]


@ROUTER.post("/@<handle>/people/<who>/poster")
def let_post(visit: Visit, handle: str, who: str) -> Response:
    group = find_named(named.group(visit, handle))
    return _told(visit, group, visit.do(membership.add, named.person(visit, who), group, POSTS))


@ROUTER.post("/@<handle>/people/<who>/reader")
def let_read(visit: Visit, handle: str, who: str) -> Response:
    group = find_named(named.group(visit, handle))
    return _told(visit, group, visit.do(membership.add, named.person(visit, who), group, READS))


@ROUTER.post("/@<handle>/people/<who>/owner")
def make_owner(visit: Visit, handle: str, who: str) -> Response:
    group = find_named(named.group(visit, handle))
    return _told(visit, group, visit.do(membership.make_owner, named.person(visit, who), group))


@ROUTER.post("/@<handle>/people/<who>/remove")
def remove(visit: Visit, handle: str, who: str) -> Response:
    group = find_named(named.group(visit, handle))
    return _told(visit, group, visit.do(membership.remove, named.person(visit, who), group))


def _told(visit: Visit, group: NamedAccount, done: MemberChange) -> Response:
    visit.say(_changed(done), undo=done.state in ("added", "removed", "owner"))
    return visit.back(f"/@{group.handle}/people")


def _changed(done: MemberChange) -> Phrase:
    match done.state:
        case "added":
            return say("{name} is in {group} now and has been told.", name=done.person, group=done.group)
        case "removed":
            return say("{name} is no longer in {group} and has been told.", name=done.person, group=done.group)
        case "owner":
            return say("{name} is an owner of {group} now and has been told.", name=done.person, group=done.group)
        case "absent":
            return say("{name} is not in {group}. Nothing was changed.", name=done.person, group=done.group)
    return say("{name} already is in {group}.", name=done.person, group=done.group)


@ROUTER.post("/@<handle>/requests/<who>/let-in")
def let_in(visit: Visit, handle: str, who: str) -> Response:
    return _decide(visit, handle, who, admit=True)


@ROUTER.post("/@<handle>/requests/<who>/refuse")
def refuse(visit: Visit, handle: str, who: str) -> Response:
    return _decide(visit, handle, who, admit=False)


def _decide(visit: Visit, handle: str, who: str, *, admit: bool) -> Response:
    group = find_named(named.group(visit, handle))
    done = visit.do(join_requests.decide, named.person(visit, who), group, admit=admit)
    visit.say(_decided(done), undo=done.state in ("let_in", "refused"))
    return visit.back(f"/@{group.handle}/requests")


def _decided(done: Decision) -> Phrase:
    match done.state:
        case "let_in":
            return say("{name} is in {group} now and has been told.", name=done.person, group=done.group)
        case "refused":
            return say("We told {name} that {group} says no.", name=done.person, group=done.group)
        case "is_in":
            return say("That is decided already: {name} is in {group}.", name=done.person, group=done.group)
    return say("That is decided already: {name} is not in {group}.", name=done.person, group=done.group)
