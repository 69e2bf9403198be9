-- Apps that speak the client API: what they registered, the codes by which people let them in, and their tokens.
-- Processes of the version before know none of it.
CREATE TABLE apps (
    id             bigint PRIMARY KEY DEFAULT new_id(),
    client_id      text NOT NULL UNIQUE,
    secret_digest  bytea NOT NULL,
    name           text NOT NULL CHECK (name <> ''),
    website        text,
    redirect_uris  text[] NOT NULL,
    scopes         text[] NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app_codes (
    id            bigint PRIMARY KEY DEFAULT new_id(),
    digest        bytea NOT NULL UNIQUE,
    app_id        bigint NOT NULL REFERENCES apps ON DELETE CASCADE,
    account_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    redirect_uri  text NOT NULL,
    scopes        text[] NOT NULL,
    challenge     text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX app_codes_by_app ON app_codes (app_id);
CREATE INDEX app_codes_by_account ON app_codes (account_id);

CREATE TABLE app_tokens (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    app_id      bigint NOT NULL REFERENCES apps ON DELETE CASCADE,
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,
    digest      bytea NOT NULL UNIQUE,
    scopes      text[] NOT NULL,
    code_id     bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz
);
CREATE INDEX app_tokens_by_app ON app_tokens (app_id);
CREATE INDEX app_tokens_by_account ON app_tokens (account_id);
CREATE INDEX app_tokens_by_code ON app_tokens (code_id);
