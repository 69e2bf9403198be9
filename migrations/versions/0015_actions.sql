-- One thing that somebody did, by any door: `undo` and idempotency keys work for pages and the API as for texts.
CREATE TABLE actions (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,
    door        text NOT NULL,
    inbound_id  bigint REFERENCES inbound ON DELETE CASCADE,
    key         text,
    request     bytea,
    result      jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT actions_cause CHECK ((inbound_id IS NULL) = (key IS NOT NULL))
);
CREATE UNIQUE INDEX actions_by_inbound ON actions (inbound_id);
CREATE UNIQUE INDEX actions_by_key ON actions (account_id, key);

ALTER TABLE effects ADD COLUMN action_id bigint;
-- Processes of the version before know effects of an inbound alone.
CREATE FUNCTION effect_of_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO actions (account_id, door, inbound_id)
    SELECT NEW.account_id, channel, id FROM inbound WHERE id = NEW.inbound_id
    ON CONFLICT (inbound_id) DO NOTHING;
    SELECT id INTO NEW.action_id FROM actions WHERE inbound_id = NEW.inbound_id;
    RETURN NEW;
END $$;
CREATE TRIGGER effect_of_inbound BEFORE INSERT ON effects
FOR EACH ROW WHEN (NEW.action_id IS NULL) EXECUTE FUNCTION effect_of_inbound();

-- What was done before has the ids of what it came from, so that it keeps its order.
-- batch: effects by inbound_id
INSERT INTO actions (id, account_id, door, inbound_id, created_at)
SELECT DISTINCT ON (e.inbound_id) e.inbound_id, e.account_id, i.channel, e.inbound_id, e.created_at
FROM effects e JOIN inbound i ON i.id = e.inbound_id
WHERE e.action_id IS NULL AND e.inbound_id BETWEEN :from AND :to ORDER BY e.inbound_id, e.number
ON CONFLICT (inbound_id) DO NOTHING;
-- batch: effects by inbound_id
UPDATE effects e SET action_id = a.id FROM actions a
WHERE a.inbound_id = e.inbound_id AND e.action_id IS NULL AND e.inbound_id BETWEEN :from AND :to;

ALTER TABLE effects ADD CONSTRAINT effects_action_set CHECK (action_id IS NOT NULL) NOT VALID;
ALTER TABLE effects VALIDATE CONSTRAINT effects_action_set;
ALTER TABLE effects ALTER COLUMN action_id SET NOT NULL;
ALTER TABLE effects DROP CONSTRAINT effects_action_set;
ALTER TABLE effects ADD CONSTRAINT effects_action_id_fkey FOREIGN KEY (action_id) REFERENCES actions ON DELETE CASCADE NOT VALID;
ALTER TABLE effects VALIDATE CONSTRAINT effects_action_id_fkey;
CREATE INDEX CONCURRENTLY effects_by_inbound ON effects (inbound_id);
CREATE INDEX CONCURRENTLY effects_by_actor ON effects (account_id, action_id DESC, number DESC);
CREATE UNIQUE INDEX CONCURRENTLY effects_by_action ON effects (action_id, number);
BEGIN;
ALTER TABLE effects DROP CONSTRAINT effects_pkey;
ALTER TABLE effects ADD CONSTRAINT effects_pkey PRIMARY KEY USING INDEX effects_by_action;
ALTER TABLE effects ALTER COLUMN inbound_id DROP NOT NULL;
COMMIT;

-- Files that belong together: what came with a text or mail, or what somebody uploaded on a page or by the API.
CREATE TABLE uploads (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,
    inbound_id  bigint REFERENCES inbound ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uploads_source CHECK ((inbound_id IS NULL) = (account_id IS NOT NULL))
);
CREATE UNIQUE INDEX uploads_by_inbound ON uploads (inbound_id);
ALTER TABLE media ADD COLUMN upload_id bigint, ADD COLUMN raw bytea;
CREATE FUNCTION upload_of_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO uploads (id, inbound_id) VALUES (NEW.inbound_id, NEW.inbound_id) ON CONFLICT DO NOTHING;
    NEW.upload_id := NEW.inbound_id;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_of_inbound BEFORE INSERT ON media
FOR EACH ROW WHEN (NEW.upload_id IS NULL) EXECUTE FUNCTION upload_of_inbound();
-- batch: media by inbound_id
INSERT INTO uploads (id, inbound_id, created_at)
SELECT DISTINCT i.id, i.id, i.received_at FROM media m JOIN inbound i ON i.id = m.inbound_id
WHERE m.upload_id IS NULL AND m.inbound_id BETWEEN :from AND :to
ON CONFLICT DO NOTHING;
-- batch: media by inbound_id
UPDATE media SET upload_id = inbound_id WHERE upload_id IS NULL AND inbound_id BETWEEN :from AND :to;
ALTER TABLE media ADD CONSTRAINT media_upload_set CHECK (upload_id IS NOT NULL) NOT VALID;
ALTER TABLE media VALIDATE CONSTRAINT media_upload_set;
ALTER TABLE media ALTER COLUMN upload_id SET NOT NULL;
ALTER TABLE media DROP CONSTRAINT media_upload_set;
ALTER TABLE media ADD CONSTRAINT media_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES uploads ON DELETE CASCADE NOT VALID;
ALTER TABLE media VALIDATE CONSTRAINT media_upload_id_fkey;
CREATE INDEX CONCURRENTLY media_by_inbound ON media (inbound_id);
CREATE UNIQUE INDEX CONCURRENTLY media_by_upload ON media (upload_id, number);
BEGIN;
ALTER TABLE media DROP CONSTRAINT media_pkey;
ALTER TABLE media ADD CONSTRAINT media_pkey PRIMARY KEY USING INDEX media_by_upload;
ALTER TABLE media ALTER COLUMN inbound_id DROP NOT NULL;
COMMIT;

ALTER TABLE posts ADD COLUMN upload_id bigint;
-- Processes of the version before know the files of an inbound alone.
CREATE FUNCTION upload_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.upload_id := NEW.pictures_of;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_of_post BEFORE UPDATE OF pictures_of ON posts
FOR EACH ROW WHEN (NEW.pictures_of IS DISTINCT FROM OLD.pictures_of AND NEW.upload_id IS NOT DISTINCT FROM OLD.upload_id)
EXECUTE FUNCTION upload_of_post();
-- batch: posts by id
UPDATE posts SET upload_id = pictures_of
WHERE pictures_of IS NOT NULL AND upload_id IS NULL AND id BETWEEN :from AND :to;
ALTER TABLE posts ADD CONSTRAINT posts_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES uploads ON DELETE SET NULL NOT VALID;
ALTER TABLE posts VALIDATE CONSTRAINT posts_upload_id_fkey;
CREATE INDEX CONCURRENTLY posts_by_upload ON posts (upload_id) WHERE upload_id IS NOT NULL;
