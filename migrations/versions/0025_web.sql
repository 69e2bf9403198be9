-- The web interface: who is signed in, what they have read there, drafts, passkeys, the company's own accounts, and the
-- line that somebody says about where they are. Processes of the version before know none of it.
CREATE TABLE web_sessions (
    id          bigint PRIMARY KEY DEFAULT new_id(),
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    digest      bytea NOT NULL UNIQUE,
    began_by    text NOT NULL CHECK (began_by IN ('code', 'link', 'passkey', 'company', 'first', 'tour')),
    device      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX web_sessions_by_account ON web_sessions (account_id);

CREATE TABLE read_marks (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    place       text NOT NULL,
    upto        bigint NOT NULL,
    read_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, place)
);

CREATE TABLE web_drafts (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    audience    text NOT NULL,
    words       text NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, audience)
);

CREATE TABLE statuses (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    words       text NOT NULL CHECK (words <> ''),
    until       timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE passkeys (
    id             bigint PRIMARY KEY DEFAULT new_id(),
    account_id     bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    credential_id  bytea NOT NULL UNIQUE,
    public_key     bytea NOT NULL,
    sign_count     bigint NOT NULL DEFAULT 0,
    name           text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    used_at        timestamptz
);
CREATE INDEX passkeys_by_account ON passkeys (account_id);

CREATE TABLE company_accounts (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX company_accounts_by_account ON company_accounts (account_id);

CREATE TABLE web_settings (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    look        text CHECK (look IN ('light', 'dark')),
    keys        boolean NOT NULL DEFAULT true
);

ALTER TABLE media ADD COLUMN description text;

BEGIN;
ALTER TABLE codes DROP CONSTRAINT codes_purpose_check;
ALTER TABLE codes ADD CONSTRAINT codes_purpose_check
    CHECK (purpose IN ('link', 'prove', 'login', 'sign_in')) NOT VALID;
COMMIT;
ALTER TABLE codes VALIDATE CONSTRAINT codes_purpose_check;
