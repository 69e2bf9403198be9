-- A phrase that somebody tracks, and who does. The views and statements of the version before do not know these tables:
-- what its processes spread meanwhile reaches nobody for a tracked word, and nothing else changes for them.
CREATE TABLE tracks (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    phrase      text COLLATE "C" NOT NULL UNIQUE,
    shown       text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trackers (
    track_id     bigint NOT NULL REFERENCES tracks,
    follower_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    by_text      boolean NOT NULL DEFAULT false,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (track_id, follower_id)
);
CREATE INDEX trackers_by_follower ON trackers (follower_id);

-- Who tracks what, as far as it has not ended.
CREATE VIEW trackers_in_force AS
SELECT track_id, follower_id, by_text, expires_at, created_at
FROM trackers
WHERE expires_at IS NULL OR expires_at > now();
