-- What private posts say, as hashes of word runs, so that the same words are not published by mistake.
CREATE FUNCTION word_run(run text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT ('x' || encode(substr(sha256((SELECT hash_key FROM installation) || convert_to(run, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
$$;
CREATE TABLE private_fingerprints (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,
    runs        bigint[] NOT NULL
);
CREATE INDEX private_fingerprints_by_run ON private_fingerprints USING gin (runs) WITH (fastupdate = off);
