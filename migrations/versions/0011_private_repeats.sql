-- What private posts say, as hashes of word runs, so that the same words are not published by mistake.
CREATE TABLE private_fingerprints (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,
    runs        bigint[] NOT NULL
);
CREATE INDEX private_fingerprints_by_run ON private_fingerprints USING gin (runs) WITH (fastupdate = off);
