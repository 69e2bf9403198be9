-- How people want what comes: texts as mails, and a way for each cause, tag and tracked phrase. Processes of the version
-- before know nothing of it: what they spread and send meanwhile comes as before, and nobody has asked for a way yet.
BEGIN;
ALTER TABLE attention
    ADD COLUMN prefer text,
    ADD COLUMN private text,
    ADD COLUMN mention text,
    ADD COLUMN reply text,
    ADD COLUMN tracked text,
    ADD COLUMN "group" text,
    ADD COLUMN person text,
    ADD COLUMN tag text,
    ADD COLUMN broadcast text;
ALTER TABLE attention ADD CONSTRAINT attention_prefer_check CHECK (prefer IN ('mail')) NOT VALID;
ALTER TABLE attention ADD CONSTRAINT attention_ways_check CHECK (array_remove(ARRAY[private, mention, reply, tracked, "group", person, tag, broadcast], NULL) <@ ARRAY['text', 'mail', 'digest', 'nothing']) NOT VALID;
COMMIT;
ALTER TABLE attention VALIDATE CONSTRAINT attention_prefer_check;
ALTER TABLE attention VALIDATE CONSTRAINT attention_ways_check;

ALTER TABLE accounts ADD COLUMN chooses boolean NOT NULL DEFAULT false;
CREATE FUNCTION now_chooses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF num_nonnulls(NEW.digest_every, NEW.prefer, NEW.private, NEW.mention, NEW.reply, NEW.tracked, NEW."group", NEW.person,
                    NEW.tag, NEW.broadcast) > 0 THEN
        UPDATE accounts SET chooses = true WHERE id = NEW.account_id AND NOT chooses;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER now_chooses AFTER INSERT OR UPDATE ON attention FOR EACH ROW EXECUTE FUNCTION now_chooses();
-- batch: accounts by id
UPDATE accounts SET chooses = true
WHERE id BETWEEN :from AND :to AND NOT chooses
  AND id IN (SELECT account_id FROM attention WHERE digest_every IS NOT NULL UNION SELECT follower_id FROM follows WHERE way IS NOT NULL);

BEGIN;
ALTER TABLE follows DROP CONSTRAINT follows_way_check;
ALTER TABLE follows ADD CONSTRAINT follows_way_check CHECK (way IN ('text', 'mail', 'digest')) NOT VALID;
COMMIT;
ALTER TABLE follows VALIDATE CONSTRAINT follows_way_check;

ALTER TABLE topic_follows ADD COLUMN way text;
ALTER TABLE topic_follows ADD CONSTRAINT topic_follows_way_check CHECK (way IN ('text', 'mail', 'digest', 'nothing')) NOT VALID;
ALTER TABLE topic_follows VALIDATE CONSTRAINT topic_follows_way_check;
ALTER TABLE trackers ADD COLUMN way text;
ALTER TABLE trackers ADD CONSTRAINT trackers_way_check CHECK (way IN ('text', 'mail', 'digest', 'nothing')) NOT VALID;
ALTER TABLE trackers VALIDATE CONSTRAINT trackers_way_check;

-- Phones are counted before each post: whoever chose texts is found without looking at everybody.
CREATE INDEX CONCURRENTLY follows_texts ON follows (account_id) WHERE way = 'text';
CREATE INDEX CONCURRENTLY attention_texts ON attention (account_id) WHERE 'text' IN (tracked, "group", person, tag, broadcast);

-- Follows of a #tag that have not ended.
CREATE OR REPLACE VIEW topic_follows_in_force AS
SELECT follower_id, topic_id, by_text, expires_at, created_at, way
FROM topic_follows
WHERE expires_at IS NULL OR expires_at > now();

-- Who tracks what, as far as it has not ended.
CREATE OR REPLACE VIEW trackers_in_force AS
SELECT track_id, follower_id, by_text, expires_at, created_at, way
FROM trackers
WHERE expires_at IS NULL OR expires_at > now();

-- All that somebody follows or tracks.
CREATE VIEW subscriptions_in_force AS
SELECT f.follower_id, f.account_id AS source_id,
       CAST(CASE WHEN a.kind = 'person' THEN 6 WHEN a.access = 'broadcast' THEN 8 ELSE 5 END AS smallint) AS cause,
       f.by_text, CASE WHEN f.off_now THEN 'nothing' ELSE f.way END AS way
FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
UNION ALL
SELECT follower_id, topic_id, CAST(7 AS smallint), by_text, way FROM topic_follows_in_force
UNION ALL
SELECT follower_id, track_id, CAST(4 AS smallint), by_text, way FROM trackers_in_force;

-- What a message needs whose reader chose ways (accounts.chooses): `text`, a phone; `mail`, a mailbox; `mailed`,
-- a mailbox instead of a phone, where one receives; `either`, any address, for it waits for a digest; `had`: they got it
-- by another of several sources. What is wanted in a digest, or not at all, is put where it would have come without that:
-- it may come one by one after all, and its author hears why it does not come. gateway/attention/ways.py has the rule.
CREATE FUNCTION chosen_way(message bigint, post bigint, reader bigint, sources bigint[], named boolean) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    w        attention;
    loudest  integer;  -- 1 text, 2 mail, 3 digest, 4 nothing
    phone    boolean;
BEGIN
    SELECT * INTO w FROM attention WHERE account_id = reader;
    SELECT min(array_position(ARRAY['text', 'mail', 'digest', 'nothing'], way)), bool_or(by_text) INTO loudest, phone FROM (
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
    RETURN CASE loudest WHEN 3 THEN 'either' ELSE 'mail' END;
END $$;
