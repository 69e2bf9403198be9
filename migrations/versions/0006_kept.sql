CREATE TABLE remainders (
    address_id  bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,
    text        text NOT NULL CHECK (text <> ''),
    posts       bigint[] NOT NULL,
    kept_at     timestamptz NOT NULL DEFAULT now()
);
-- What was kept without its post is not given any more.
-- batch: conversations by address_id
UPDATE conversations SET more = NULL, more_at = NULL
WHERE (more IS NOT NULL OR more_at IS NOT NULL) AND address_id BETWEEN :from AND :to;
ALTER TABLE messages ADD COLUMN quotes bigint[];
