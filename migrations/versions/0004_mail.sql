-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined'));

-- daily: one mail a day for who follows nobody yet
ALTER TABLE accounts ADD COLUMN daily boolean NOT NULL DEFAULT true;
ALTER TABLE accounts ADD COLUMN daily_on date;
ALTER TABLE accounts ADD COLUMN daily_upto bigint NOT NULL DEFAULT 0;
ALTER TABLE messages DROP CONSTRAINT messages_kind_check;
ALTER TABLE messages ADD CONSTRAINT messages_kind_check
    CHECK (kind IN ('update', 'answer', 'notice', 'code', 'welcome', 'daily'));
CREATE TABLE daily_mails (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    posts       bigint[] NOT NULL
);
CREATE INDEX daily_mails_by_account ON daily_mails (account_id);
