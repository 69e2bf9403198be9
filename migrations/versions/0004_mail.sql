-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined'));

-- relays: some take only so many mails a day
CREATE TABLE relay_days (
    day         date PRIMARY KEY,
    mails       bigint NOT NULL DEFAULT 0
);
