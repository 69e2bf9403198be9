-- Web Push: the devices that get pushes, and push as a channel and a way. Processes of the version before know neither: a
-- person who chose it gets what it brings from processes of this version.
CREATE TABLE push_subscriptions (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    session_id  bigint REFERENCES web_sessions ON DELETE CASCADE,
    endpoint    text NOT NULL UNIQUE,
    p256dh      text NOT NULL,
    auth        text NOT NULL,
    encoding    text NOT NULL DEFAULT 'standard' CHECK (encoding IN ('standard', 'legacy')),
    device      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz
);
CREATE INDEX push_subscriptions_by_account ON push_subscriptions (account_id);
CREATE INDEX push_subscriptions_by_session ON push_subscriptions (session_id);

ALTER TABLE fanouts ADD COLUMN pushes bigint NOT NULL DEFAULT 0;

BEGIN;
ALTER TABLE addresses DROP CONSTRAINT addresses_channel_check;
ALTER TABLE addresses ADD CONSTRAINT addresses_channel_check
    CHECK (channel IN ('sms', 'email', 'push')) NOT VALID;
COMMIT;
ALTER TABLE addresses VALIDATE CONSTRAINT addresses_channel_check;

BEGIN;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_channel_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_channel_check
    CHECK (channel IN ('sms', 'email', 'push')) NOT VALID;
COMMIT;
ALTER TABLE deliveries VALIDATE CONSTRAINT deliveries_channel_check;

BEGIN;
ALTER TABLE attention DROP CONSTRAINT attention_prefer_check;
ALTER TABLE attention ADD CONSTRAINT attention_prefer_check
    CHECK (prefer IN ('mail', 'push', 'web')) NOT VALID;
COMMIT;
ALTER TABLE attention VALIDATE CONSTRAINT attention_prefer_check;

BEGIN;
ALTER TABLE attention DROP CONSTRAINT attention_ways_check;
ALTER TABLE attention ADD CONSTRAINT attention_ways_check
    CHECK (array_remove(ARRAY[private, mention, reply, tracked, "group", person, tag, broadcast], NULL) <@ ARRAY['text', 'push', 'mail', 'digest', 'web', 'nothing']) NOT VALID;
COMMIT;
ALTER TABLE attention VALIDATE CONSTRAINT attention_ways_check;

BEGIN;
ALTER TABLE follows DROP CONSTRAINT follows_way_check;
ALTER TABLE follows ADD CONSTRAINT follows_way_check
    CHECK (way IN ('text', 'push', 'mail', 'digest', 'web')) NOT VALID;
COMMIT;
ALTER TABLE follows VALIDATE CONSTRAINT follows_way_check;

BEGIN;
ALTER TABLE topic_follows DROP CONSTRAINT topic_follows_way_check;
ALTER TABLE topic_follows ADD CONSTRAINT topic_follows_way_check
    CHECK (way IN ('text', 'push', 'mail', 'digest', 'web', 'nothing')) NOT VALID;
COMMIT;
ALTER TABLE topic_follows VALIDATE CONSTRAINT topic_follows_way_check;

BEGIN;
ALTER TABLE trackers DROP CONSTRAINT trackers_way_check;
ALTER TABLE trackers ADD CONSTRAINT trackers_way_check
    CHECK (way IN ('text', 'push', 'mail', 'digest', 'web', 'nothing')) NOT VALID;
COMMIT;
ALTER TABLE trackers VALIDATE CONSTRAINT trackers_way_check;

-- Their devices, for what is to come by push.
CREATE OR REPLACE FUNCTION chosen_way(message bigint, post bigint, reader bigint, sources bigint[], named boolean) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    w        attention;
    loudest  integer;  -- 1 text, 2 push, 3 mail, 4 digest, 5 web, 6 nothing
    phone    boolean;
    pushed   boolean;  -- they have a device for it
BEGIN
    SELECT * INTO w FROM attention WHERE account_id = reader;
    SELECT min(array_position(ARRAY['text', 'push', 'mail', 'digest', 'web', 'nothing'], way)), bool_or(by_text) INTO loudest, phone FROM (
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
    END IF;
    pushed := (loudest = 2 OR w.prefer = 'push') AND EXISTS (
        SELECT FROM addresses WHERE account_id = reader AND channel = 'push' AND is_primary AND state = 'verified');
    IF loudest = 1 OR loudest > 3 AND phone THEN
        RETURN CASE WHEN w.prefer = 'mail' THEN 'mailed' WHEN w.prefer = 'push' AND pushed THEN 'push' ELSE 'text' END;
    END IF;
    RETURN CASE WHEN loudest = 2 AND pushed THEN 'push' WHEN loudest IN (4, 5) THEN 'either' ELSE 'mail' END;
END $$;

-- The devices that get pushes now: a browser only as long as its owner is signed in there.
CREATE VIEW push_subscriptions_in_force AS
SELECT p.id, p.account_id, p.session_id, p.endpoint, p.p256dh, p.auth, p.encoding, p.device, p.created_at, p.used_at
FROM push_subscriptions p LEFT JOIN web_sessions w ON w.id = p.session_id
WHERE p.session_id IS NULL OR w.ended_at IS NULL AND w.expires_at > now();

-- Quiet hours and `off` of somebody's phone are those of their devices, too: both ring in the same pocket.
CREATE FUNCTION rest_like_phone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE addresses
    SET quiet = NEW.quiet, quiet_since = NEW.quiet_since, receiving = NEW.receiving, off_until = NEW.off_until
    WHERE account_id = NEW.account_id AND channel = 'push';
    RETURN NULL;
END $$;

CREATE TRIGGER rest_like_phone AFTER UPDATE OF quiet, quiet_since, receiving, off_until ON addresses
    FOR EACH ROW WHEN (NEW.channel = 'sms' AND NEW.is_primary) EXECUTE FUNCTION rest_like_phone();
