CREATE TABLE lockouts (
    account_id    bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    wrong         smallint NOT NULL DEFAULT 0,
    channels      text[] NOT NULL DEFAULT '{}',
    wrong_at      timestamptz,
    locks         smallint NOT NULL DEFAULT 0,
    locked_until  timestamptz
);
