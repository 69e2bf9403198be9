-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined'));

-- identity: who wrote a mail, found out by its own worker; secret posting addresses
CREATE TABLE posting_addresses (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    seed        bytea NOT NULL,
    digest      bytea NOT NULL UNIQUE,
    made_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbound_unproved ON inbound (channel, sender, id) WHERE state = 'unproved';
-- relays: some take only so many mails a day
CREATE TABLE relay_days (
    day         date PRIMARY KEY,
    mails       bigint NOT NULL DEFAULT 0
);
