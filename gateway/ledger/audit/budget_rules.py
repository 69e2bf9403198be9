"""What must hold of budgets (I6), as queries that return the rows that break it. invariants.py runs them."""

from typing import Final

from gateway.ledger.audit.rules import Rule

KEPT: Final = "no budget was overdrawn"
COUNTED: Final = "what every text cost is counted in its budgets"
LIMITED: Final = "nobody gets more updates by text on a day than they want texts"
PAID: Final = "no text leaves that was not paid for"

# `allowed` is the limit at the time when something was last taken: lowering the limit later overdraws nothing. What was
# written to a reader comes beyond their texts of a day, and counts.
OVERDRAWN: Final = """
    SELECT concat_ws(':', day, scope, nullif(subject, '')), used || ' used of ' || allowed
    FROM budgets WHERE used > allowed AND scope <> 'reader'
"""

UNCOUNTED: Final = """
    SELECT concat_ws(':', sums.day, sums.scope, nullif(sums.subject, '')),
           coalesce(b.used, 0) || ' counted, and its texts took ' || sums.spent
    FROM (SELECT (CASE took.scope WHEN 'company_month' THEN date_trunc('month', c.charged_at AT TIME ZONE 'UTC')
                  WHEN 'reader' THEN c.reader_day ELSE c.charged_at AT TIME ZONE 'UTC' END)::date AS day,
                 took.scope, took.subject, sum(took.spent) AS spent
          FROM charges c CROSS JOIN LATERAL (
              VALUES ('company_day', '', CAST(c.parts AS bigint)),
                     ('company_month', '', coalesce(c.billed, c.micros)),
                     ('group', CAST(nullif(c.group_id, 0) AS text), c.parts),
                     ('person', CAST(nullif(c.author_id, 0) AS text), c.parts),
                     ('reader', CAST(c.reader_id AS text), 1)) AS took (scope, subject, spent)
          WHERE took.subject IS NOT NULL AND c.charged_at > now() - interval '12 months'
          GROUP BY 1, 2, 3) AS sums
    LEFT JOIN budgets b USING (day, scope, subject)
    WHERE coalesce(b.used, 0) < sums.spent
"""

# What was in a digest that did not leave comes one by one, and is not held up again.
FLOODED: Final = """
    SELECT c.reader_day || ':reader:' || c.reader_id, count(DISTINCT t.message_id) || ' updates of ' || b.allowed
    FROM charges c
    JOIN budgets b ON b.scope = 'reader' AND b.subject = CAST(c.reader_id AS text) AND b.day = c.reader_day
    JOIN attempts t ON t.id = c.attempt_id
    JOIN deliveries d ON d.message_id = t.message_id AND d.address_id = t.address_id AND d.source_id IS NOT NULL
     AND d.priority > 0
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.message_id = t.message_id AND h.account_id = c.reader_id
                                           AND h.digest_id IS NOT NULL)
    GROUP BY c.reader_day, c.reader_id, b.allowed HAVING count(DISTINCT t.message_id) > b.allowed
"""

# Texts that were sent before budgets existed have no charges.
UNPAID: Final = """
    SELECT a.id, 'of delivery ' || a.message_id || ':' || a.address_id || ' is ' || a.state || ' without a charge'
    FROM attempts a JOIN deliveries d ON d.message_id = a.message_id AND d.address_id = a.address_id
    LEFT JOIN charges c ON c.attempt_id = a.id
    WHERE d.channel = 'sms' AND c.attempt_id IS NULL AND a.id > (SELECT min(attempt_id) FROM charges)
      AND (a.state IN ('sent', 'delivered') OR d.state = 'unknown' AND d.attempt = a.number)
      AND a.started_at > now() - interval '12 months'
"""

RULES: Final = (
    Rule("I6", KEPT, "budget", OVERDRAWN),
    Rule("I6", COUNTED, "budget", UNCOUNTED),
    Rule("I6", LIMITED, "budget", FLOODED),
    Rule("I6", PAID, "attempt", UNPAID),
)
