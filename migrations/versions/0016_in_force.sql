-- What holds now. Whoever asks who hears whom reads these views, so that the conditions are written once; the tables
-- themselves are for whoever writes them, and for what is asked of the past.
-- Follows and memberships that are granted and have not ended.
CREATE VIEW follows_in_force AS
SELECT follower_id, account_id, role, state, by_text, off, off_until, expires_at, created_at,
       off AND coalesce(off_until > now(), true) AS off_now               -- nothing of it is sent at the moment
FROM follows
WHERE state = 'active' AND (expires_at IS NULL OR expires_at > now());

-- Follows of a #tag that have not ended.
CREATE VIEW topic_follows_in_force AS
SELECT follower_id, topic_id, by_text, expires_at, created_at
FROM topic_follows
WHERE expires_at IS NULL OR expires_at > now();

-- Blocks, and mutes that have not ended.
CREATE VIEW silences_in_force AS
SELECT account_id, other_id, kind, expires_at, created_at
FROM silences
WHERE expires_at IS NULL OR expires_at > now();

-- Every address, and whether updates go there. Its state says whether anything may.
CREATE VIEW addresses_now AS
SELECT id, account_id, channel, address, state, is_primary, receiving, off_until, stopped_at, seen_at, introduced_at,
       sender_id, created_at, bouncing_since,
       NOT receiving AND coalesce(off_until > now(), true) AS off_now,   -- its owner turned everything off, and it is still
       (receiving OR coalesce(off_until <= now(), false)) AND bouncing_since IS NULL AS receives  -- it is on, and its mails do not come back
FROM addresses;
