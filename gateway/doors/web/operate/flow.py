"""Flow: one sentence that says whether everything flows, the four stages with what waits between them, and what wants
a person. The page asks for its figures anew every few seconds."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import redis
from sqlalchemy import text

from gateway.attention.zones import zone
from gateway.doors.web.operate import ROUTER, charts
from gateway.doors.web.operate.frame import show
from gateway.doors.web.operate.verdict import age, describe
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say, translated
from gateway.ledger.operations import flow
from gateway.ledger.operations.flow import SPANS, Standing, Through, TimeSpan
from gateway.network.inspect import action_required

PATIENCE: Final = 1.0  # seconds for Redis
MARKS: Final = 5  # times below a chart
QUARTERS: Final = 4  # rows of the table beside it
RECENT: Final = 5  # steps that say how much is flowing now
MANY: Final = 50  # in these steps
FULL: Final = 500


class Lamp(NamedTuple):
    """One thing that must work. `note`: how it is, or why not."""

    name: str
    good: bool
    note: str = ""


@ROUTER.page("/operate", "operator")
def flow_page(visit: Visit) -> str:
    """`?span=`: hour, day or week."""
    span = SPANS.get(visit.arg("span"), SPANS["hour"])
    return show(visit, "flow.html", tasks=action_required.list_tasks(visit.session), spans=SPANS, **_facts(visit, span))


@ROUTER.page("/operate/now", "operator")
def flow_now(visit: Visit) -> str:
    """The figures alone."""
    span = SPANS.get(visit.arg("span"), SPANS["hour"])
    return render(visit, "operate/flow_now.html", **_facts(visit, span))


def _facts(visit: Visit, span: TimeSpan) -> dict[str, Any]:
    standing, through = flow.read_standing(visit.session, visit.settings), flow.read_through(visit.session, span)
    retrying = flow.read_retrying(visit.session)
    return {
        "span": span,
        "standing": standing,
        "verdict": describe(standing, retrying, visit.account.zone_now),
        "retrying": retrying,
        "through": through,
        "in_words": age,
        "lamps": list(_lamps(visit, standing)),
        "sparks": {name: charts.spark(stage.series) for name, stage in through.stages.items()} if through else {},
        "tubes": _tubes(through) if through else {},
        **(_charts(visit, through, span) if through else {}),
    }


def _tubes(through: Through) -> dict[str, str]:
    """How thick the pipe before each stage is drawn; "still" when nothing moves."""
    return {name: _tube(sum(stage.series[-RECENT:])) for name, stage in through.stages.items()}


def _tube(recent: int) -> str:
    if not recent:
        return "still"
    return "much" if recent > FULL else ("some" if recent > MANY else "")


def _charts(visit: Visit, through: Through, span: TimeSpan) -> dict[str, Any]:
    moments = _moments(visit, span)
    sent, accepted = through.stages["sent"].series, through.stages["accepted"].series
    below = [moments[round(at * span.slots / (MARKS - 1))] for at in range(MARKS)]
    part = span.slots // QUARTERS
    rows = [
        (moments[at], moments[at + part], sum(accepted[at : at + part]), sum(sent[at : at + part]),
         max(through.waited[at : at + part]))
        for at in range(0, part * QUARTERS, part)
    ]  # fmt: skip
    return {
        "in_and_out": charts.draw_lines([sent, accepted], below),
        "waited": charts.draw_lines([through.waited], below),
        "in_and_out_points": _points(moments, span, {say("sent"): sent, say("accepted"): accepted}, visit),
        "waited_points": _points(moments, span, {say("seconds"): through.waited}, visit),
        "rows": rows,
        "longest": max(through.waited),
    }


def _points(moments: list[str], span: TimeSpan, series: Mapping[Phrase, Sequence[float]], visit: Visit) -> str:
    """Of a chart, for the page's script: the times, and each line with its name."""
    lines = [[translated(name, visit.account.language), list(points)] for name, points in series.items()]
    return json.dumps(
        {"time": translated(say("time"), visit.account.language), "times": moments[: span.slots], "lines": lines}
    )


def _moments(visit: Visit, span: TimeSpan) -> list[str]:
    """The times at which the steps begin and end, by the operator's clock."""
    now, form = datetime.now(UTC).astimezone(zone(visit.account.zone_now)), "%H:%M" if span.name != "week" else "%d.%m."
    return [f"{now - span.step * (span.slots - at):{form}}" for at in range(span.slots + 1)]


def _lamps(visit: Visit, standing: Standing) -> Iterator[Lamp]:
    for name in dict.fromkeys([*flow.list_expected(visit.settings), *sorted(standing.figures.processes)]):
        alive = standing.figures.processes.get(name, 0)
        yield Lamp(name.removeprefix("worker-"), bool(alive), str(alive) if alive > 1 else "")
    began = time.perf_counter()
    visit.session.execute(text("SELECT 1"))
    yield Lamp("PostgreSQL", True, f"{(time.perf_counter() - began) * 1000:.0f} ms")
    yield Lamp("Redis", _redis_answers(visit.settings.redis_url))
    carriers: dict[str, bool] = {}
    for row in standing.figures.senders:
        carriers[row.carrier] = carriers.get(row.carrier, True) and not row.paused
    yield from (Lamp(name, good) for name, good in carriers.items())


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
