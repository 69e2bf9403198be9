-- Urgent calls and questions to a group. Processes of the version before make none. When they read an answer to one, it is
-- an update or a reply as before; and nobody may send an urgent call until an operator has said so.
ALTER TABLE accounts ADD COLUMN may_urge boolean NOT NULL DEFAULT false;
ALTER TABLE posts ADD COLUMN call text;
ALTER TABLE posts ADD CONSTRAINT posts_call_check CHECK (call IN ('rollcall', 'ask')) NOT VALID;
ALTER TABLE posts VALIDATE CONSTRAINT posts_call_check;

CREATE TABLE calls (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('rollcall', 'ask')),
    asker_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    group_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    step_after  interval,
    next_at     timestamptz,
    ends_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    ending      text CHECK (ending IN ('all', 'time', 'undone')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX calls_due ON calls (next_at) WHERE ended_at IS NULL;
CREATE INDEX calls_by_asker ON calls (asker_id);
CREATE INDEX calls_by_group ON calls (group_id);

CREATE TABLE call_people (
    post_id       bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
    account_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    step          smallint NOT NULL DEFAULT 0 CHECK (step BETWEEN 0 AND 3),
    next_at       timestamptz,
    answered_at   timestamptz,
    late          boolean NOT NULL DEFAULT false,
    text          text,
    inbound_id    bigint REFERENCES inbound ON DELETE SET NULL,
    retracted_at  timestamptz,
    gone          text CHECK (gone IN ('opted_out', 'off', 'unreached', 'left', 'deactivated')),
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX call_people_due ON call_people (next_at) WHERE answered_at IS NULL AND next_at IS NOT NULL;
CREATE INDEX call_people_by_account ON call_people (account_id, post_id);
CREATE INDEX call_people_by_inbound ON call_people (inbound_id) WHERE inbound_id IS NOT NULL;

