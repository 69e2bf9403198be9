-- How many texts a day somebody wants. Processes of the version before send every text at once, as before; what they
-- send is not counted, and nobody has a limit yet.
ALTER TABLE attention ADD COLUMN texts_a_day smallint;
ALTER TABLE attention ADD CONSTRAINT attention_texts_a_day_check CHECK (texts_a_day BETWEEN 1 AND 500) NOT VALID;
ALTER TABLE attention VALIDATE CONSTRAINT attention_texts_a_day_check;
CREATE INDEX CONCURRENTLY attention_limited ON attention (account_id) WHERE texts_a_day IS NOT NULL;

BEGIN;
ALTER TABLE held DROP CONSTRAINT held_reason_check;
ALTER TABLE held ADD CONSTRAINT held_reason_check
    CHECK (reason IN ('quiet', 'off_till', 'behind', 'digest', 'over')) NOT VALID;
COMMIT;
ALTER TABLE held VALIDATE CONSTRAINT held_reason_check;

BEGIN;
ALTER TABLE digests DROP CONSTRAINT digests_kind_check;
ALTER TABLE digests ADD CONSTRAINT digests_kind_check
    CHECK (kind IN ('wake', 'back', 'day', 'week', 'now', 'return', 'over')) NOT VALID;
COMMIT;
ALTER TABLE digests VALIDATE CONSTRAINT digests_kind_check;

BEGIN;
ALTER TABLE budgets DROP CONSTRAINT budgets_scope_check;
ALTER TABLE budgets ADD CONSTRAINT budgets_scope_check
    CHECK (scope IN ('company_day', 'company_month', 'country', 'group', 'person', 'reader')) NOT VALID;
COMMIT;
ALTER TABLE budgets VALIDATE CONSTRAINT budgets_scope_check;

ALTER TABLE charges ADD COLUMN reader_id bigint, ADD COLUMN reader_day date;

-- What a post would do before it is sent: who asked for texts, and the others, each in an order by chance. It serves
-- what follows_by_text did.
CREATE INDEX CONCURRENTLY follows_by_way ON follows (account_id, by_text, hashint8(follower_id), follower_id)
    INCLUDE (expires_at) WHERE state = 'active';
DROP INDEX follows_by_text;

-- Every address, and whether updates go there.
CREATE OR REPLACE VIEW addresses_now AS
SELECT id, account_id, channel, address, state, is_primary, receiving, off_until, stopped_at, seen_at, introduced_at,
       sender_id, created_at, bouncing_since,
       NOT receiving AND coalesce(off_until > now(), true) AS off_now,
       (receiving OR coalesce(off_until <= now(), false)) AND bouncing_since IS NULL AS receives,
       quiet, quiet_since,
       channel = 'sms' AND (SELECT EXISTS (SELECT FROM attention WHERE texts_a_day IS NOT NULL)) AND (
           SELECT w.texts_a_day FROM attention w WHERE w.account_id = addresses.account_id) IS NOT NULL AS limited
FROM addresses;
