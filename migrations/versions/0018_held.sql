-- Quiet hours, and items that wait for their end or for the end of an `off`. Processes of the version before never hold
-- an item: what they send meanwhile ignores quiet hours, which nobody has yet, and nothing else changes for them.
BEGIN;
ALTER TABLE addresses
    ADD COLUMN quiet text,
    ADD COLUMN quiet_since timestamptz;
ALTER TABLE addresses ADD CONSTRAINT addresses_quiet_check CHECK (quiet ~ '^((mo|tu|we|th|fr|sa|su)(,(mo|tu|we|th|fr|sa|su))* \d\d:\d\d-\d\d:\d\d(; |$))+$') NOT VALID;
COMMIT;
ALTER TABLE addresses VALIDATE CONSTRAINT addresses_quiet_check;

BEGIN;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_check
    CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'unknown', 'retry', 'failed', 'cancelled', 'held')) NOT VALID;
COMMIT;
ALTER TABLE deliveries VALIDATE CONSTRAINT deliveries_state_check;

BEGIN;
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('update', 'answer', 'notice', 'code', 'welcome', 'daily', 'digest')) NOT VALID;
COMMIT;
ALTER TABLE messages VALIDATE CONSTRAINT messages_kind_check;

CREATE TABLE held (
    message_id  bigint NOT NULL,
    account_id  bigint NOT NULL,
    address_id  bigint NOT NULL,
    author_id   bigint NOT NULL DEFAULT 0,
    source_id   bigint,
    cause       smallint NOT NULL CHECK (cause BETWEEN 0 AND 8),
    reason      text NOT NULL CHECK (reason IN ('quiet', 'off_till', 'behind')),
    until       timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'folded', 'sent', 'cancelled')),
    why         text,
    digest_id   bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (message_id, account_id)
);
CREATE INDEX held_due ON held (until) WHERE state = 'waiting';
CREATE INDEX held_by_person ON held (account_id, until) WHERE state = 'waiting';
CREATE INDEX held_folded ON held (digest_id) WHERE state = 'folded';
CREATE INDEX held_by_digest ON held (digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX held_by_address ON held (address_id);

CREATE TABLE digests (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('wake', 'back')),
    slot        timestamp NOT NULL,
    posts       bigint[] NOT NULL DEFAULT '{}',
    folded      integer NOT NULL DEFAULT 0,
    UNIQUE (address_id, kind, slot)
);
CREATE INDEX digests_by_account ON digests (account_id);

-- Every address, and whether updates go there. Its state says whether anything may.
CREATE OR REPLACE VIEW addresses_now AS
SELECT id, account_id, channel, address, state, is_primary, receiving, off_until, stopped_at, seen_at, introduced_at,
       sender_id, created_at, bouncing_since,
       NOT receiving AND coalesce(off_until > now(), true) AS off_now,
       (receiving OR coalesce(off_until <= now(), false)) AND bouncing_since IS NULL AS receives,
       quiet, quiet_since
FROM addresses;

-- A month is open while something in it waits for its reader.
CREATE OR REPLACE FUNCTION drop_partition(month text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    low   bigint;
    high  bigint;
    open  boolean;
BEGIN
    IF month !~ '^deliveries_\d{4}_\d\d$' OR NOT EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'deliveries'::regclass AND inhrelid = to_regclass(month)
    ) THEN
        RAISE EXCEPTION '% is no month of deliveries', month USING ERRCODE = 'invalid_parameter_value';
    END IF;
    low := id_at(to_date(right(month, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC');
    high := id_at((to_date(right(month, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC');
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', month);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE ended_at IS NULL)', month) INTO open;
    open := open
        OR EXISTS (SELECT FROM held WHERE state IN ('waiting', 'folded') AND message_id >= low AND message_id < high)
        OR EXISTS (SELECT FROM held WHERE state = 'folded' AND digest_id >= low AND digest_id < high);
    IF NOT open THEN
        EXECUTE format('DROP TABLE %I', month);
    END IF;
    RETURN NOT open;
END $$;
CREATE OR REPLACE FUNCTION forget_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries USING gone WHERE deliveries.message_id = gone.id;
    DELETE FROM held USING gone WHERE held.message_id = gone.id;
    UPDATE held SET state = 'waiting', until = now(), digest_id = NULL FROM gone  -- what was in a digest that is gone
        WHERE held.digest_id = gone.id AND held.state = 'folded';
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION forget_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries USING gone WHERE deliveries.address_id = gone.id;
    DELETE FROM held USING gone WHERE held.address_id = gone.id;
    RETURN NULL;
END $$;
