-- What people want in a digest, and when it comes. Processes of the version before send such items at once, by text or
-- mail as before; nobody has asked for a digest yet.
CREATE TABLE attention (
    account_id      bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    digest_every    text CHECK (digest_every IN ('day', 'week')),
    digest_at       time NOT NULL DEFAULT '08:00',
    digest_weekday  smallint CHECK (digest_weekday BETWEEN 0 AND 6),
    CONSTRAINT attention_week CHECK ((digest_every = 'week') = (digest_weekday IS NOT NULL))
);

ALTER TABLE follows ADD COLUMN way text;
ALTER TABLE follows ADD CONSTRAINT follows_way_check CHECK (way IN ('digest')) NOT VALID;
ALTER TABLE follows VALIDATE CONSTRAINT follows_way_check;

-- Follows and memberships that are granted and have not ended.
CREATE OR REPLACE VIEW follows_in_force AS
SELECT follower_id, account_id, role, state, by_text, off, off_until, expires_at, created_at,
       off AND coalesce(off_until > now(), true) AS off_now,
       way
FROM follows
WHERE state = 'active' AND (expires_at IS NULL OR expires_at > now());

-- allow: the table was made by the step before, so it is as good as empty
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD COLUMN slot timestamp;
ALTER TABLE held ADD CONSTRAINT held_reason_check CHECK (reason IN ('quiet', 'off_till', 'behind', 'digest')) NOT VALID;
ALTER TABLE held VALIDATE CONSTRAINT held_reason_check;
ALTER TABLE digests DROP CONSTRAINT digests_kind_check;
ALTER TABLE digests ADD CONSTRAINT digests_kind_check CHECK (kind IN ('wake', 'back', 'day', 'week', 'now')) NOT VALID;
ALTER TABLE digests VALIDATE CONSTRAINT digests_kind_check;
