-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined'));

-- attachments: a mail brings its media in itself, and a post says whose media it shows
ALTER TABLE media ALTER COLUMN url DROP NOT NULL;
ALTER TABLE media ADD COLUMN name text;
ALTER TABLE media ADD COLUMN small_sha256 bytea;
ALTER TABLE posts ADD COLUMN pictures_of bigint REFERENCES inbound ON DELETE SET NULL;
ALTER TABLE posts ADD COLUMN attached text;
CREATE INDEX posts_with_pictures ON posts (pictures_of) WHERE pictures_of IS NOT NULL;
CREATE INDEX media_by_file ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_by_small_file ON media (small_sha256) WHERE small_sha256 IS NOT NULL;
UPDATE posts SET pictures_of = m.inbound_id, attached = CASE m.many WHEN 1 THEN 'photo' ELSE m.many || ' photos' END
FROM (SELECT inbound_id, count(*) AS many FROM media GROUP BY inbound_id) m WHERE posts.inbound_id = m.inbound_id;
