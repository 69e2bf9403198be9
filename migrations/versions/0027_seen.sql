-- What comes on the web alone, and what waits there for its reader to see it first. Processes of the version before
-- know no way `web`: a batch with somebody who chose it is left to processes of this version.
CREATE UNLOGGED TABLE presence (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    active_at   timestamptz NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE attention ADD COLUMN unseen_after interval;
ALTER TABLE attention ADD CONSTRAINT attention_unseen_after_check
    CHECK (unseen_after BETWEEN interval '1 minute' AND interval '2 hours') NOT VALID;
ALTER TABLE attention VALIDATE CONSTRAINT attention_unseen_after_check;

BEGIN;
ALTER TABLE attention DROP CONSTRAINT attention_prefer_check;
ALTER TABLE attention ADD CONSTRAINT attention_prefer_check CHECK (prefer IN ('mail', 'web')) NOT VALID;
COMMIT;
ALTER TABLE attention VALIDATE CONSTRAINT attention_prefer_check;

BEGIN;
ALTER TABLE attention DROP CONSTRAINT attention_ways_check;
ALTER TABLE attention ADD CONSTRAINT attention_ways_check
    CHECK (array_remove(ARRAY[private, mention, reply, tracked, "group", person, tag, broadcast], NULL) <@ ARRAY['text', 'mail', 'digest', 'web', 'nothing']) NOT VALID;
COMMIT;
ALTER TABLE attention VALIDATE CONSTRAINT attention_ways_check;

BEGIN;
ALTER TABLE follows DROP CONSTRAINT follows_way_check;
ALTER TABLE follows ADD CONSTRAINT follows_way_check CHECK (way IN ('text', 'mail', 'digest', 'web')) NOT VALID;
COMMIT;
ALTER TABLE follows VALIDATE CONSTRAINT follows_way_check;

BEGIN;
ALTER TABLE topic_follows DROP CONSTRAINT topic_follows_way_check;
ALTER TABLE topic_follows ADD CONSTRAINT topic_follows_way_check
    CHECK (way IN ('text', 'mail', 'digest', 'web', 'nothing')) NOT VALID;
COMMIT;
ALTER TABLE topic_follows VALIDATE CONSTRAINT topic_follows_way_check;

BEGIN;
ALTER TABLE trackers DROP CONSTRAINT trackers_way_check;
ALTER TABLE trackers ADD CONSTRAINT trackers_way_check
    CHECK (way IN ('text', 'mail', 'digest', 'web', 'nothing')) NOT VALID;
COMMIT;
ALTER TABLE trackers VALIDATE CONSTRAINT trackers_way_check;

BEGIN;
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('quiet', 'off_till', 'behind', 'digest', 'over', 'online', 'unseen')) NOT VALID;
COMMIT;
ALTER TABLE held VALIDATE CONSTRAINT held_reason_check;

BEGIN;
ALTER TABLE held DROP CONSTRAINT held_state_check;
ALTER TABLE held ADD CONSTRAINT held_state_check
    CHECK (state IN ('waiting', 'folded', 'sent', 'seen', 'cancelled')) NOT VALID;
COMMIT;
ALTER TABLE held VALIDATE CONSTRAINT held_state_check;

ALTER TABLE held ADD COLUMN delayed_until timestamptz, ADD COLUMN seen_at timestamptz;
CREATE INDEX CONCURRENTLY held_online ON held (address_id) WHERE state = 'waiting' AND reason = 'online';

-- The address of what is on the web alone.
CREATE OR REPLACE FUNCTION chosen_way(message bigint, post bigint, reader bigint, sources bigint[], named boolean) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    w        attention;
    loudest  integer;  -- 1 text, 2 mail, 3 digest, 4 web, 5 nothing
    phone    boolean;
BEGIN
    SELECT * INTO w FROM attention WHERE account_id = reader;
    SELECT min(array_position(ARRAY['text', 'mail', 'digest', 'web', 'nothing'], way)), bool_or(by_text) INTO loudest, phone FROM (
        SELECT c.by_text, coalesce(c.way, (ARRAY[w.private, w.mention, w.reply, w.tracked, w."group", w.person, w.tag, w.broadcast])[c.cause],
                                   CASE WHEN c.by_text THEN 'text' ELSE 'mail' END) AS way
        FROM (
            SELECT s.cause, s.way, s.by_text FROM subscriptions_in_force s
            WHERE s.follower_id = reader AND s.source_id = ANY (sources)
            UNION ALL
            SELECT CASE WHEN p.visibility = 'direct' THEN 1
                        WHEN EXISTS (SELECT FROM posts mine WHERE mine.id = p.in_reply_to AND mine.author_id = reader) THEN 3
                        ELSE 2 END, NULL, true
            FROM posts p WHERE p.id = post AND named
        ) AS c
    ) AS causes;
    IF cardinality(sources) > 1 AND EXISTS (
        SELECT FROM deliveries d JOIN addresses a ON a.id = d.address_id WHERE d.message_id = message AND a.account_id = reader
    ) THEN
        RETURN 'had';
    ELSIF loudest = 1 OR loudest > 2 AND phone THEN
        RETURN CASE WHEN w.prefer = 'mail' THEN 'mailed' ELSE 'text' END;
    END IF;
    RETURN CASE WHEN loudest IN (3, 4) THEN 'either' ELSE 'mail' END;
END $$;

-- Who is on the web at the moment. Whatever is far from now was written before a clock was changed.
CREATE VIEW presence_now AS
SELECT account_id, active_at
FROM presence
WHERE active_at BETWEEN now() - interval '60 seconds' AND now() + interval '60 seconds';

-- Every address, and whether its owner is on the web.
CREATE OR REPLACE VIEW addresses_now AS
SELECT id, account_id, channel, address, state, is_primary, receiving, off_until, stopped_at, seen_at, introduced_at,
       sender_id, created_at, bouncing_since,
       NOT receiving AND coalesce(off_until > now(), true) AS off_now,
       (receiving OR coalesce(off_until <= now(), false)) AND bouncing_since IS NULL AS receives,
       quiet, quiet_since,
       channel = 'sms' AND (SELECT EXISTS (SELECT FROM attention WHERE texts_a_day IS NOT NULL)) AND (
           SELECT w.texts_a_day FROM attention w WHERE w.account_id = addresses.account_id) IS NOT NULL AS limited,
       channel = 'sms' AND (EXISTS (SELECT FROM presence_now here WHERE here.account_id = addresses.account_id) OR EXISTS (
           SELECT FROM held h WHERE h.address_id = addresses.id AND h.state = 'waiting' AND h.reason = 'online' AND h.until > now()
       )) AS online
FROM addresses;
