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
    INSERT INTO actions (id, account_id, door, inbound_id)
    SELECT id, NEW.account_id, channel, id FROM inbound WHERE id = NEW.inbound_id
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
