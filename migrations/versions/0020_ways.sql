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
