-- proof: who wrote a mail is found out after it was accepted
ALTER TABLE inbound ADD COLUMN proof text;
ALTER TABLE inbound DROP CONSTRAINT inbound_state_check;
ALTER TABLE inbound ADD CONSTRAINT inbound_state_check
    CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined'));
