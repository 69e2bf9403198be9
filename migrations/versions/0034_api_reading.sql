-- What apps show and keep for somebody: marks on updates, lists of people, and what a client draws before a picture is
-- there. Processes of the version before know none of it.
CREATE TABLE bookmarks (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX bookmarks_by_post ON bookmarks (post_id);

CREATE TABLE pinned_posts (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX pinned_posts_by_post ON pinned_posts (post_id);

CREATE TABLE lists (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    title       text NOT NULL CHECK (title <> ''),
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lists_by_account ON lists (account_id);

CREATE TABLE list_accounts (
    list_id     bigint NOT NULL REFERENCES lists ON DELETE CASCADE,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    PRIMARY KEY (list_id, account_id)
);
CREATE INDEX list_accounts_by_account ON list_accounts (account_id);

CREATE TABLE dismissed_notices (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    id          bigint NOT NULL,
    PRIMARY KEY (id, account_id)
);
CREATE INDEX dismissed_notices_by_account ON dismissed_notices (account_id);

CREATE TABLE reach_questions (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    request     bytea NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, request)
);

CREATE INDEX CONCURRENTLY reactions_by_account ON reactions (account_id, post_id DESC);

ALTER TABLE media ADD COLUMN width integer;

ALTER TABLE media ADD COLUMN height integer;

ALTER TABLE media ADD COLUMN blurhash text;
