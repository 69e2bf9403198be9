-- Where people are for now, what their mailbox says of them, and digests for when they are back. Processes of the version
-- before go by everybody's own zone, and send the digests of those who are away daily.
ALTER TABLE accounts ADD COLUMN zone_since timestamptz;

ALTER TABLE attention ADD COLUMN zone text, ADD COLUMN zone_until timestamptz, ADD COLUMN out_of_office_until timestamptz,
    ADD COLUMN digest_back boolean NOT NULL DEFAULT false;
ALTER TABLE attention ADD CONSTRAINT attention_zone CHECK (zone IS NOT NULL OR zone_until IS NULL) NOT VALID;
ALTER TABLE attention VALIDATE CONSTRAINT attention_zone;

ALTER TABLE digests DROP CONSTRAINT digests_kind_check;
ALTER TABLE digests ADD CONSTRAINT digests_kind_check
    CHECK (kind IN ('wake', 'back', 'day', 'week', 'now', 'return')) NOT VALID;
ALTER TABLE digests VALIDATE CONSTRAINT digests_kind_check;

CREATE FUNCTION zone_in_force(home text, away text, until timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN away IS NOT NULL AND coalesce(until > now(), true) THEN away ELSE home END;

CREATE VIEW zones_now AS
SELECT a.id AS account_id, zone_in_force(a.timezone, w.zone, w.zone_until) AS zone,
       CASE WHEN w.zone_until > now() THEN w.zone_until END AS until,
       a.timezone AS home
FROM accounts a LEFT JOIN attention w ON w.account_id = a.id AND w.zone IS NOT NULL;
