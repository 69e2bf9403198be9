"""Rules about calls (I13): each is a query that returns the rows that break it. invariants.py runs them.

After a restore the clocks of calls stand in the far future, until an operator decides."""

from typing import Final

from gateway.ledger.audit.rules import Rule

ENDS: Final = "what is due of a call is done when its time has come"
NOBODY_FORGOTTEN: Final = "everybody who is asked is told, and waited for until they answer or the call ends"
ONCE: Final = "no step of a call is taken twice"

_PERSON: Final = "p.post_id || ':' || p.account_id"

LATE: Final = """
    SELECT post_id, 'due for ' || round(extract(epoch FROM now() - next_at) / 60) || ' min'
    FROM calls WHERE ended_at IS NULL AND next_at < now() - interval '15 minutes'
"""
CLOCKLESS: Final = """
    SELECT post_id, CASE WHEN ended_at IS NULL THEN 'is open, and nothing will end it' ELSE 'has ended, and is due' END
    FROM calls WHERE (ended_at IS NULL) <> (next_at IS NOT NULL)
"""
LATE_STEP: Final = f"""
    SELECT {_PERSON}, 'their next step is due for ' || round(extract(epoch FROM now() - next_at) / 60) || ' min'
    FROM call_people p WHERE answered_at IS NULL AND next_at < now() - interval '15 minutes'
"""  # noqa: S608
STEPLESS: Final = f"""
    SELECT {_PERSON}, 'has not answered, and no step of theirs is due'
    FROM call_people p JOIN calls c ON c.post_id = p.post_id AND c.kind = 'rollcall' AND c.ended_at IS NULL
    WHERE p.answered_at IS NULL AND p.gone IS NULL AND p.step < 2 AND p.next_at IS NULL
"""  # noqa: S608
STEPPING: Final = f"""
    SELECT {_PERSON},
           CASE WHEN p.next_at IS NULL THEN 'is open in a call that has ended' ELSE 'has a step, and needs none' END
    FROM call_people p JOIN calls c ON c.post_id = p.post_id
    WHERE p.next_at IS NOT NULL AND (p.answered_at IS NOT NULL OR p.gone IS NOT NULL OR c.ended_at IS NOT NULL)
       OR c.ended_at IS NOT NULL AND p.answered_at IS NULL AND p.gone IS NULL AND p.step < 3
"""  # noqa: S608
UNTOLD: Final = f"""
    SELECT {_PERSON}, 'is asked, and nothing was sent to them'
    FROM call_people p
    JOIN calls c ON c.post_id = p.post_id AND c.kind = 'rollcall'
    JOIN accounts reader ON reader.id = p.account_id AND reader.state = 'active'
    WHERE p.gone IS NULL AND NOT EXISTS (
        SELECT FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
        WHERE m.post_id = p.post_id AND a.account_id = p.account_id)
"""  # noqa: S608
TWICE: Final = """
    SELECT m.post_id || ':' || d.address_id, 'was told ' || count(*) || ' times'
    FROM calls c JOIN messages m ON m.post_id = c.post_id AND m.kind = 'update'
    JOIN deliveries d ON d.message_id = m.id AND d.state NOT IN ('failed', 'cancelled')
    WHERE c.kind = 'rollcall' GROUP BY m.post_id, d.address_id HAVING count(*) > 1
"""

RULES: Final = (
    Rule("I13", ENDS, "call", LATE),
    Rule("I13", ENDS, "call", CLOCKLESS),
    Rule("I13", ENDS, "step", LATE_STEP),
    Rule("I13", NOBODY_FORGOTTEN, "step", STEPLESS),
    Rule("I13", NOBODY_FORGOTTEN, "step", STEPPING),
    Rule("I13", NOBODY_FORGOTTEN, "step", UNTOLD),
    Rule("I13", ONCE, "step", TWICE),
)
