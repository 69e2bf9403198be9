"""Which number a phone hears from: by prefix, always the same, and from another only while its own is down."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.senders.routing import Route, RoutingPlan, can_stand_in, choose, serving
from gateway.ledger.senders.senders import SendingNumber

TWILIO, TWILIO_TOO = (
    SendingNumber(1, "+15005550006", "twilio", False),
    SendingNumber(2, "+15005550007", "twilio", False),
)
KANNEL, HOOK = SendingNumber(3, "+4915550100", "kannel", False), SendingNumber(4, "55555", "hook", False)
ALL = (TWILIO, TWILIO_TOO, KANNEL, HOOK)
ROUTES = (Route("", "twilio"), Route("+49", "kannel"), Route("+4915", "hook"))

phones = st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True)
carriers = st.sampled_from(["twilio", "kannel", "hook"])
prefixes = st.from_regex(r"(\+[1-9][0-9]{0,3})?", fullmatch=True)
routes = st.lists(st.builds(Route, prefixes, carriers), unique_by=lambda route: route.prefix, max_size=6).map(tuple)
senders = st.lists(carriers, min_size=1, max_size=8).map(
    lambda names: tuple(SendingNumber(n, f"+1500555{n:04d}", name, False) for n, name in enumerate(names, 1))
)
plans = st.builds(RoutingPlan, senders, routes)


def test_the_longest_prefix_wins_and_the_others_step_in():
    plan = RoutingPlan(ALL, ROUTES)
    assert choose("+491555012", plan) == HOOK
    assert choose("+49301234567", plan) == KANNEL
    assert choose("+491555012", plan, down={HOOK.id}) == KANNEL
    assert choose("+491555012", plan, down={HOOK.id, KANNEL.id}) in (TWILIO, TWILIO_TOO)
    assert choose("+14155550123", plan, down={TWILIO.id, TWILIO_TOO.id}) is None  # nobody else may serve it


def test_a_phone_that_no_route_names_is_nobodys():
    assert choose("+14155550123", RoutingPlan(ALL, (Route("+49", "kannel"),))) is None


def test_without_routes_every_number_serves():
    assert {choose(f"+1415555{n:04d}", RoutingPlan(ALL)) for n in range(200)} == set(ALL)


@given(phones, plans, st.sets(st.integers(1, 8)), st.none() | st.integers(1, 8))
def test_who_is_chosen_is_up_and_may_serve(phone, plan, down, kept):
    sender = choose(phone, plan, down, kept)
    may = [each for choice in serving(phone, plan) for each in choice]
    assert sender is None or (sender in may and sender.id not in down)
    assert (sender is None) == all(each.id in down for each in may)


@given(phones, plans, st.sets(st.integers(1, 8)))
def test_the_best_route_that_is_up_is_taken(phone, plan, down):
    sender = choose(phone, plan, down)
    for choice in serving(phone, plan):
        if any(each.id not in down for each in choice):
            assert sender in choice
            break


@given(phones, plans, st.sets(st.integers(1, 8)))
def test_a_phone_keeps_its_number_while_that_is_up_and_best(phone, plan, down):
    first = choose(phone, plan)
    if first is None:
        return
    assert choose(phone, plan, kept=first.id) == choose(phone, plan) == first
    meanwhile = choose(phone, plan, down, kept=first.id)
    if first.id not in down:
        assert meanwhile == first
    elif meanwhile is not None:
        assert choose(phone, plan, kept=first.id) == first  # and back again


@given(phones, plans)
def test_a_number_that_goes_moves_only_its_own_phones(phone, plan):
    first = choose(phone, plan)
    for gone in plan.senders:
        if first is not None and gone != first:
            less = RoutingPlan(tuple(each for each in plan.senders if each != gone), plan.routes)
            assert choose(phone, less) == first


def test_who_stands_in_for_whom():
    plan = RoutingPlan(ALL, ROUTES)
    assert can_stand_in(TWILIO, KANNEL, plan)
    assert can_stand_in(TWILIO, TWILIO_TOO, plan)
    assert can_stand_in(KANNEL, HOOK, plan)
    assert not can_stand_in(KANNEL, TWILIO, plan)
    assert can_stand_in(KANNEL, TWILIO, RoutingPlan(ALL))


@given(phones, plans)
def test_who_stands_in_may_serve_every_phone_of_the_lost_number(phone, plan):
    own = choose(phone, plan)
    may = [each for choice in serving(phone, plan) for each in choice]
    for sender in plan.senders:
        if own is not None and can_stand_in(sender, own, plan):
            assert sender in may


@given(phones, plans)
def test_a_number_stands_in_for_itself(phone, plan):
    assert all(can_stand_in(sender, sender, plan) for sender in plan.senders)


def test_the_pool_is_shared_evenly():
    spread = Counter(choose(f"+1415{n:07d}", RoutingPlan((TWILIO, TWILIO_TOO))) for n in range(2000))
    assert min(spread.values()) > 800
