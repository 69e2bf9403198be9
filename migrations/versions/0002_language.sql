-- The whole command language: what it keeps between texts.

ALTER TABLE accounts ADD COLUMN pin text NOT NULL DEFAULT 'none';
ALTER TABLE accounts ADD CONSTRAINT accounts_pin_check CHECK (pin IN ('none', 'risky', 'always')) NOT VALID;
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_pin_check;
-- A name as it is searched: lower case, no accents. gateway/network/people/handles.plain is the same in Python.
CREATE FUNCTION plain_name(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(name) = length(name) THEN lower(name)
        ELSE regexp_replace(lower(normalize(name, NFKD)), '[\u0300-\u036f]', '', 'g') END
$$;
ALTER TABLE accounts ADD COLUMN ack boolean NOT NULL DEFAULT false;
-- allow: it rewrites the table of people, for a generated column is added in no other way; no door asks that table
ALTER TABLE accounts ADD COLUMN plain_name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (plain_name(name)) STORED;
CREATE INDEX CONCURRENTLY accounts_by_plain_name ON accounts (plain_name);
BEGIN;
DROP INDEX accounts_by_name;
ALTER INDEX accounts_by_plain_name RENAME TO accounts_by_name;
COMMIT;
CREATE INDEX CONCURRENTLY follows_by_text ON follows (account_id) WHERE by_text;
ALTER TABLE addresses ADD COLUMN introduced_at timestamptz;
-- They were known before we introduced ourselves.
-- batch: addresses by id
UPDATE addresses SET introduced_at = created_at
WHERE channel = 'sms' AND state = 'verified' AND id BETWEEN :from AND :to;
ALTER TABLE effects ADD COLUMN account_id bigint REFERENCES accounts ON DELETE CASCADE;
-- batch: effects by inbound_id
UPDATE effects e SET account_id = i.account_id FROM inbound i
WHERE i.id = e.inbound_id AND e.inbound_id BETWEEN :from AND :to;
CREATE INDEX CONCURRENTLY effects_by_account ON effects (account_id, inbound_id DESC, number DESC);
ALTER TABLE posts ADD COLUMN repeat_of bigint REFERENCES posts ON DELETE CASCADE;
CREATE INDEX CONCURRENTLY posts_by_repeated ON posts (repeat_of) WHERE repeat_of IS NOT NULL;
BEGIN;
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('update', 'answer', 'notice', 'code', 'welcome')) NOT VALID;
COMMIT;
ALTER TABLE messages VALIDATE CONSTRAINT messages_kind_check;
ALTER TABLE deliveries ADD COLUMN introduces boolean NOT NULL DEFAULT false;
ALTER TABLE conversations ADD COLUMN half jsonb;
ALTER TABLE conversations ADD COLUMN half_at timestamptz;

CREATE TABLE aliases (
    alias       text PRIMARY KEY CHECK (alias = lower(alias) AND alias <> ''),
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind        text NOT NULL DEFAULT 'alias' CHECK (kind IN ('alias', 'employee_id')),
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX aliases_by_account ON aliases (account_id);

CREATE TABLE pins (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    salt        bytea NOT NULL,
    digest      bytea NOT NULL,
    tries       smallint NOT NULL DEFAULT 0,
    locked_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE topics (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    tag         text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE topic_follows (
    follower_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    topic_id     bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
    by_text      boolean NOT NULL DEFAULT false,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_id, topic_id)
);
CREATE INDEX topic_follows_by_topic ON topic_follows (topic_id, follower_id);

CREATE TABLE silences (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    other_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('block', 'mute')),
    expires_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, other_id),
    CHECK (account_id <> other_id)
);
CREATE INDEX silences_by_other ON silences (other_id, account_id);

CREATE TABLE nudges (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    other_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, other_id)
);

CREATE TABLE invitations (
    address_id   bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,
    inviter_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    accepted_at  timestamptz
);
CREATE INDEX invitations_by_inviter ON invitations (inviter_id, created_at);

CREATE TABLE codes (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('link', 'prove', 'login')),
    address_id  bigint REFERENCES addresses ON DELETE CASCADE,
    digest      bytea NOT NULL,
    tries       smallint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX codes_open ON codes (digest) WHERE ended_at IS NULL;
CREATE INDEX codes_by_account ON codes (account_id, id);

CREATE TABLE reports (
    id           bigint PRIMARY KEY DEFAULT new_id(),
    reporter_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    post_id      bigint REFERENCES posts ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz
);
CREATE INDEX reports_open ON reports (id) WHERE closed_at IS NULL;
