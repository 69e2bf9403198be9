-- What `who about` searches, and offers to ask the people it finds. Processes of the version before write posts as
-- before: the trigger makes their search, too. They make no offers, and nothing else changes for them.
CREATE FUNCTION search_config(lang text) RETURNS regconfig LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE split_part(lower(replace(lang, '_', '-')), '-', 1)
        WHEN 'ar' THEN 'pg_catalog.arabic'::regconfig WHEN 'hy' THEN 'pg_catalog.armenian'::regconfig
        WHEN 'eu' THEN 'pg_catalog.basque'::regconfig WHEN 'ca' THEN 'pg_catalog.catalan'::regconfig
        WHEN 'da' THEN 'pg_catalog.danish'::regconfig WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
        WHEN 'en' THEN 'pg_catalog.english'::regconfig WHEN 'fi' THEN 'pg_catalog.finnish'::regconfig
        WHEN 'fr' THEN 'pg_catalog.french'::regconfig WHEN 'de' THEN 'pg_catalog.german'::regconfig
        WHEN 'el' THEN 'pg_catalog.greek'::regconfig WHEN 'hi' THEN 'pg_catalog.hindi'::regconfig
        WHEN 'hu' THEN 'pg_catalog.hungarian'::regconfig WHEN 'id' THEN 'pg_catalog.indonesian'::regconfig
        WHEN 'ga' THEN 'pg_catalog.irish'::regconfig WHEN 'it' THEN 'pg_catalog.italian'::regconfig
        WHEN 'lt' THEN 'pg_catalog.lithuanian'::regconfig WHEN 'ne' THEN 'pg_catalog.nepali'::regconfig
        WHEN 'nb' THEN 'pg_catalog.norwegian'::regconfig WHEN 'nn' THEN 'pg_catalog.norwegian'::regconfig
        WHEN 'no' THEN 'pg_catalog.norwegian'::regconfig WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
        WHEN 'ro' THEN 'pg_catalog.romanian'::regconfig WHEN 'ru' THEN 'pg_catalog.russian'::regconfig
        WHEN 'sr' THEN 'pg_catalog.serbian'::regconfig WHEN 'es' THEN 'pg_catalog.spanish'::regconfig
        WHEN 'sv' THEN 'pg_catalog.swedish'::regconfig WHEN 'ta' THEN 'pg_catalog.tamil'::regconfig
        WHEN 'tr' THEN 'pg_catalog.turkish'::regconfig WHEN 'yi' THEN 'pg_catalog.yiddish'::regconfig
        ELSE 'pg_catalog.simple'::regconfig END
$$;
CREATE FUNCTION search_words(words text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(words) = length(words)
        THEN translate(lower(words), '-./@+<&', '       ')
        ELSE regexp_replace(translate(regexp_replace(plain_name(words),
                '[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u303f\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\U0001f000-\U0001faff]', ' ', 'g'),
                '-./@+<&', '       '),
            '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])', ' \1 ', 'g') END
$$;

ALTER TABLE posts ADD COLUMN search tsvector;
CREATE FUNCTION index_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    plain  text;
BEGIN
    NEW.search := NULL;
    IF NEW.visibility <> 'direct' AND NEW.repeat_of IS NULL AND NEW.deleted_at IS NULL
        AND NEW.text NOT IN ('', '(removed)')
    THEN
        plain := search_words(NEW.text);
        NEW.search := setweight(to_tsvector('pg_catalog.simple', plain), 'A') || setweight(to_tsvector(
            search_config(coalesce(NEW.lang, (SELECT language FROM accounts WHERE id = NEW.author_id))), plain), 'B');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER index_post BEFORE INSERT OR UPDATE OF text, lang, visibility, repeat_of, deleted_at, search ON posts
FOR EACH ROW EXECUTE FUNCTION index_post();
-- batch: posts by id
UPDATE posts SET search = NULL
WHERE search IS NULL AND visibility <> 'direct' AND repeat_of IS NULL AND deleted_at IS NULL
  AND text NOT IN ('', '(removed)') AND id BETWEEN :from AND :to;
CREATE INDEX CONCURRENTLY posts_by_search ON posts USING gin (search)
    WITH (gin_pending_list_limit = 256) WHERE search IS NOT NULL;

CREATE TABLE offers (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,
    author_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    due_at      timestamptz NOT NULL DEFAULT now(),
    word        text,
    offered_at  timestamptz,
    CONSTRAINT offers_made CHECK ((word IS NULL) = (offered_at IS NULL))
);
CREATE INDEX offers_open ON offers (due_at) WHERE offered_at IS NULL;
CREATE INDEX offers_by_author ON offers (author_id, offered_at);
CREATE TABLE offer_people (
    post_id     bigint NOT NULL REFERENCES offers ON DELETE CASCADE,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    place       smallint NOT NULL,
    asked_by    bigint REFERENCES posts ON DELETE SET NULL,
    asked_at    timestamptz,
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX offer_people_by_account ON offer_people (account_id, asked_at);
CREATE INDEX offer_people_by_question ON offer_people (asked_by) WHERE asked_by IS NOT NULL;

ALTER TABLE attention ADD COLUMN connects boolean NOT NULL DEFAULT true;
