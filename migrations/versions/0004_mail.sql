-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
BEGIN;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined')) NOT VALID;
COMMIT;
ALTER TABLE inbound VALIDATE CONSTRAINT inbound_state_check;

-- identity: who wrote a mail, found out by its own worker; secret posting addresses
CREATE TABLE posting_addresses (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    seed        bytea NOT NULL,
    digest      bytea NOT NULL UNIQUE,
    made_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX CONCURRENTLY inbound_unproved ON inbound (channel, sender, id) WHERE state = 'unproved';
-- relays: some take only so many mails a day
CREATE TABLE relay_days (
    day         date PRIMARY KEY,
    mails       bigint NOT NULL DEFAULT 0
);
-- bounces: which mails came back, and which mailboxes are off because of it
ALTER TABLE addresses ADD COLUMN bouncing_since timestamptz;
CREATE INDEX CONCURRENTLY addresses_bouncing ON addresses (bouncing_since) WHERE bouncing_since IS NOT NULL;
CREATE TABLE bounces (
    message_id  bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('hard', 'soft')),
    status      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, address_id)
);
CREATE INDEX bounces_by_address ON bounces (address_id);
CREATE INDEX bounces_by_time ON bounces (created_at);

CREATE TABLE bouncing (
    address_id  bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,
    score       double precision NOT NULL,
    status      text NOT NULL,
    bounced_at  timestamptz NOT NULL DEFAULT now(),
    warned_at   timestamptz,
    probes      smallint NOT NULL DEFAULT 0,
    probe_id    bigint REFERENCES messages ON DELETE SET NULL,
    probe_at    timestamptz
);
CREATE INDEX bouncing_due ON bouncing (probe_at) WHERE probe_at IS NOT NULL;
CREATE INDEX bouncing_by_probe ON bouncing (probe_id) WHERE probe_id IS NOT NULL;
-- attachments: a mail brings its media in itself, and a post says whose media it shows
ALTER TABLE media ALTER COLUMN url DROP NOT NULL;
ALTER TABLE media ADD COLUMN name text;
ALTER TABLE media ADD COLUMN small_sha256 bytea;
ALTER TABLE posts ADD COLUMN pictures_of bigint REFERENCES inbound ON DELETE SET NULL;
ALTER TABLE posts ADD COLUMN attached text;
CREATE INDEX CONCURRENTLY posts_with_pictures ON posts (pictures_of) WHERE pictures_of IS NOT NULL;
CREATE INDEX CONCURRENTLY media_by_file ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX CONCURRENTLY media_by_small_file ON media (small_sha256) WHERE small_sha256 IS NOT NULL;
-- batch: posts by id
UPDATE posts SET pictures_of = p.inbound_id, attached = CASE m.many WHEN 1 THEN 'photo' ELSE m.many || ' photos' END
FROM posts p CROSS JOIN LATERAL (SELECT count(*) AS many FROM media WHERE inbound_id = p.inbound_id) m
WHERE posts.id = p.id AND m.many > 0 AND p.id BETWEEN :from AND :to;
-- daily: one mail a day for who follows nobody yet
ALTER TABLE accounts ADD COLUMN daily boolean NOT NULL DEFAULT true;
ALTER TABLE accounts ADD COLUMN daily_on date;
ALTER TABLE accounts ADD COLUMN daily_upto bigint NOT NULL DEFAULT 0;
BEGIN;
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('update', 'answer', 'notice', 'code', 'welcome', 'daily')) NOT VALID;
COMMIT;
ALTER TABLE messages VALIDATE CONSTRAINT messages_kind_check;
CREATE TABLE daily_mails (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    posts       bigint[] NOT NULL
);
CREATE INDEX daily_mails_by_account ON daily_mails (account_id);
