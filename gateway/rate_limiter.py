"""Token buckets in Redis: how fast our numbers and our account may send, over all processes.

workers/sending/pacing books slots here. The algorithm is the generic cell rate algorithm (GCRA, ITU-T I.371) with a
burst of one: a bucket is the moment at which its next text may begin. Slots are booked a little ahead, by the clock of
Redis. A bucket that Redis has lost starts empty. So does one whose moment is not near now, for Critter has not
written it.
"""

import asyncio
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

KEPT: Final = 86_400  # seconds that an idle bucket is remembered
FARTHEST: Final = 3_600 * 1_000_000  # microseconds that its next slot may lie ahead, and a hundred intervals more
ANSWERS_IN: Final = 1.0  # seconds

# Moments are microseconds. KEYS: the bucket; ARGV: interval, how many slots, how late the last one
# began, how long it is kept, and how far ahead it may lie.
BOOK: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, count, late = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.pcall('GET', KEYS[1])
local free = type(kept) == 'string' and tonumber(kept)
if not (free and free <= now + ARGV[5] + 100 * interval) then free = now + interval end
if late > 0 then free = math.max(free + late, now + interval) end
local first = math.max(now, free)
redis.call('SET', KEYS[1], string.format('%.0f', first + count * interval), 'EX', ARGV[4])
return first - now
"""


class SendSlot(NamedTuple):
    """When a text may begin, on the clock of the running event loop. `earliest` counts from our request to Redis,
    `begin` from its answer: from then on the slot has surely begun by the clock of Redis."""

    earliest: float
    begin: float


class Buckets:
    """One per process; it belongs to the event loop that first uses it."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url, socket_timeout=ANSWERS_IN, socket_connect_timeout=ANSWERS_IN, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(BOOK)

    async def book(self, name: str, interval: float, count: int, late: float = 0.0) -> list[SendSlot]:
        """Books the next `count` slots of a bucket, `interval` seconds apart. `late`: seconds by which one of its
        slots was missed; all that is not booked yet moves by as much. Raises RedisError or OSError when Redis is
        away."""
        clock = asyncio.get_running_loop().time
        asked = clock()
        values = [round(interval * 1e6), count, round(late * 1e6), KEPT, FARTHEST]
        wait = int(await self._script(keys=[f"rate:{name}"], args=values)) / 1e6
        answered = clock()
        return [SendSlot(asked + wait + n * interval, answered + wait + n * interval) for n in range(count)]

    async def close(self) -> None:
        await self._redis.aclose()
