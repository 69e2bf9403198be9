-- Critter's database, whole. PostgreSQL 15 or newer. Times are UTC from this database's clock.
-- The migrations lead here and gateway/store/tables.py mirrors it; two tests hold the three together.
-- All of it belongs to one role, and the processes use another (migrations/rights): SECURITY DEFINER marks what an owner
-- does for them.

-- Ids are time-sortable everywhere: milliseconds since 1970 shifted left 16 bits, or'ed with a sequence's low 16 bits.
CREATE SEQUENCE id_sequence;
CREATE FUNCTION new_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint << 16) | (nextval('id_sequence') & 65535)
$$;
-- The smallest id that a row made at this time can have: the bounds of partitions and of searches by time.
CREATE FUNCTION id_at(moment timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT floor(extract(epoch FROM moment) * 1000)::bigint << 16
$$;

-- A name as it is searched: lower case, no accents. gateway/network/people/handles.plain is the same in Python.
CREATE FUNCTION plain_name(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(name) = length(name) THEN lower(name)
        ELSE regexp_replace(lower(normalize(name, NFKD)), '[\u0300-\u036f]', '', 'g') END
$$;

-- How PostgreSQL stems words of a language (BCP 47); a language that it does not know is not stemmed.
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
-- Words as they are searched: as names, and with blanks for what PostgreSQL would read as an address, a path, a tag or a
-- number with a sign, and around each character of a script that writes no blanks.
CREATE FUNCTION search_words(words text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(words) = length(words)
        THEN translate(lower(words), '-./@+<&', '       ')
        ELSE regexp_replace(translate(regexp_replace(plain_name(words),
                '[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u303f\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\U0001f000-\U0001faff]', ' ', 'g'),
                '-./@+<&', '       '),
            '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])', ' \1 ', 'g') END
$$;

-- What this database is: one row, made with it.
CREATE TABLE installation (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),       -- there is one row
    mode        text NOT NULL CHECK (mode IN ('simulated', 'live')),     -- who made it; the other mode is refused
    hash_key    bytea NOT NULL DEFAULT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),  -- keys inbound.natural_key, so that it tells nothing about a number or a mail
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when the database was made
    draining_since  timestamptz,                                         -- when `critter drain` began: from then on the doors are closed …
    draining_until  timestamptz,                                         -- … until this; renewed while it waits
    mail_paused_until  timestamptz,                                      -- no mail leaves before; infinity: until an operator resumes it
    mail_pause_reason  text,                                             -- why: the relay's code or an operator's words
    restored_at timestamptz,                                             -- when it was last restored from a backup; what was sent to us before and comes again is held
    drained_at  timestamptz                                              -- `critter drain` ended well: processes that started later are the new version, and open
);

-- What stands in the place of a number or a mailbox that is not kept: the same one always looks the same.
CREATE FUNCTION hashed_address(channel text, address text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN address LIKE 'hash:%' THEN address ELSE 'hash:' || encode(sha256(
        (SELECT hash_key FROM installation) || convert_to(channel || ':' || address, 'UTF8')), 'hex') END
$$;

-- Phones and mailboxes of erased people who had opted out: whoever adds one again finds it opted out.
CREATE TABLE opted_out (
    hash        text PRIMARY KEY,                                        -- hashed_address
    stopped_at  timestamptz NOT NULL                                     -- since when
);
CREATE FUNCTION still_opted_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since  timestamptz := (SELECT stopped_at FROM opted_out WHERE hash = hashed_address(NEW.channel, NEW.address));
BEGIN
    IF since IS NOT NULL AND NOT EXISTS (
        SELECT FROM addresses WHERE channel = NEW.channel AND address = NEW.address
    ) THEN
        NEW.stopped_at := since;
        NEW.state := 'stopped';
    END IF;
    RETURN NEW;
END $$;

-- How far each kind of cleaning by age has come. critter audit asks of what is younger only.
CREATE TABLE retention (
    what     text PRIMARY KEY,                                           -- inbound, codes, redactions, messages, …
    upto     bigint NOT NULL DEFAULT 0,                                  -- the highest id that was looked at
    done_at  timestamptz                                                 -- when everything that was due had been done
);

-- Texts whose copy the carrier is to delete; a row goes when it has.
CREATE TABLE redactions (
    carrier_id  text PRIMARY KEY,                                        -- MessageSid
    attempt     smallint NOT NULL DEFAULT 0,                             -- how often it was tried
    not_before  timestamptz NOT NULL DEFAULT now(),                      -- when it may be tried
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when it was put here
);
CREATE INDEX redactions_due ON redactions (not_before);

-- A person or a group: one namespace of handles.
CREATE TABLE accounts (
    id              bigint PRIMARY KEY DEFAULT new_id(),                 -- time-sortable
    kind            text NOT NULL CHECK (kind IN ('person', 'group')),   -- what it is
    handle          text NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9_]{2,20}$'),  -- the one name that texts use
    name            text NOT NULL,                                       -- the name that people read
    title           text,                                                -- a person's job
    state           text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'deactivated')),  -- only active ones act, receive and are found
    role            text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'operator', 'admin')),  -- what a person may do to the installation
    access          text CHECK (access IN ('open', 'closed', 'broadcast')),  -- groups: who joins and who posts
    answer_window   interval NOT NULL DEFAULT '30 minutes',              -- broadcast groups: how long a bare text answers its posters
    language        text NOT NULL DEFAULT 'en',                          -- BCP 47
    timezone        text NOT NULL DEFAULT 'UTC',                         -- IANA name
    pin             text NOT NULL DEFAULT 'none' CHECK (pin IN ('none', 'risky', 'always')),  -- what of a person's texts needs the PIN
    ack             boolean NOT NULL DEFAULT false,                      -- `ack on`: each update is confirmed
    created_at      timestamptz NOT NULL DEFAULT now(),                  -- when it joined or was made
    deactivated_at  timestamptz,                                         -- when everything was cut
    plain_name      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (plain_name(name)) STORED,  -- what it is found by; "C": ranges by letter
    daily           boolean NOT NULL DEFAULT true,                       -- a mail a day while it follows nobody; `off daily`: none
    daily_on        date,                                                -- its day, where it lives, on which that mail was last seen to
    daily_upto      bigint NOT NULL DEFAULT 0,                           -- the newest post that such a mail had in it
    zone_since      timestamptz,                                         -- since when its clock is that of the zone it has now, at home or away; none: always
    chooses         boolean NOT NULL DEFAULT false,                      -- they chose how something comes: for everybody else nothing is looked up in attention
    may_urge        boolean NOT NULL DEFAULT false,                      -- groups: whether who posts there may send urgent calls; an operator decides
    CHECK ((kind = 'group') = (access IS NOT NULL))
);
CREATE INDEX accounts_by_name ON accounts (plain_name);

-- What a person wants to come how and when. Who changed nothing has no row; whoever chose a way for anything, also for
-- one follow, tag or tracked phrase, has one, and accounts.chooses.
CREATE TABLE attention (
    account_id      bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,  -- who
    digest_every    text CHECK (digest_every IN ('day', 'week')),        -- how often a digest comes; none: there is none
    digest_at       time NOT NULL DEFAULT '08:00',                       -- when, by their clock
    digest_weekday  smallint CHECK (digest_weekday BETWEEN 0 AND 6),     -- of a weekly one: 0 is Monday
    zone            text,                                                -- IANA name of the zone where they are for now; accounts.timezone is home
    zone_until      timestamptz,                                         -- when they are home again; none: when they say so
    out_of_office_until timestamptz,                                     -- their mailbox has said that they are away: three days after the last such mail
    digest_back     boolean NOT NULL DEFAULT false,                      -- where digest_every is `day`: it comes when they are back instead, so processes of the version before send it daily
    connects        boolean NOT NULL DEFAULT true,                       -- others are pointed to what they wrote, and they are offered people to ask
    texts_a_day     smallint CONSTRAINT attention_texts_a_day_check CHECK (texts_a_day BETWEEN 1 AND 500),  -- how many texts they want on a day by their clock; none: all
    prefer          text CONSTRAINT attention_prefer_check CHECK (prefer IN ('mail', 'push', 'web')),  -- mails or pushes instead of texts, or the web alone; none: each as it was asked for
    private         text,                                                -- the way of what is written to them privately; none, here and below: as usual
    mention         text,                                                -- of what names them
    reply           text,                                                -- of what answers them
    tracked         text,                                                -- of what has a phrase in it that they track
    "group"         text,                                                -- of what is written in groups they are in
    person          text,                                                -- of what people write whom they follow
    tag             text,                                                -- of what has a #tag that they follow
    broadcast       text,                                                -- of broadcast groups
    unseen_after    interval CONSTRAINT attention_unseen_after_check CHECK (unseen_after BETWEEN interval '1 minute' AND interval '2 hours'),  -- what is written to them and comes by push or on the web alone goes to their phone as well, when they have not seen it for so long; none: it does not
    CONSTRAINT attention_week CHECK ((digest_every = 'week') = (digest_weekday IS NOT NULL)),
    CONSTRAINT attention_zone CHECK (zone IS NOT NULL OR zone_until IS NULL),
    CONSTRAINT attention_ways_check CHECK (array_remove(ARRAY[private, mention, reply, tracked, "group", person, tag, broadcast], NULL) <@ ARRAY['text', 'push', 'mail', 'digest', 'web', 'nothing'])
);
CREATE INDEX attention_limited ON attention (account_id) WHERE texts_a_day IS NOT NULL;
CREATE FUNCTION now_chooses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF num_nonnulls(NEW.digest_every, NEW.prefer, NEW.private, NEW.mention, NEW.reply, NEW.tracked, NEW."group", NEW.person,
                    NEW.tag, NEW.broadcast) > 0 THEN
        UPDATE accounts SET chooses = true WHERE id = NEW.account_id AND NOT chooses;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER now_chooses AFTER INSERT OR UPDATE ON attention FOR EACH ROW EXECUTE FUNCTION now_chooses();
CREATE INDEX attention_texts ON attention (account_id) WHERE 'text' IN (tracked, "group", person, tag, broadcast);

-- When somebody last did something on the web: at most one write in half a minute. Lost in a crash, and then nobody waits.
CREATE UNLOGGED TABLE presence (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,  -- who
    active_at   timestamptz NOT NULL                                     -- when: input, not an open connection
) WITH (fillfactor = 50);

-- Other words that an account is called by: a nickname, an employee's number. One namespace beside the handles.
CREATE TABLE aliases (
    alias       text PRIMARY KEY CHECK (alias = lower(alias) AND alias <> ''),  -- case-folded
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    kind        text NOT NULL DEFAULT 'alias' CHECK (kind IN ('alias', 'employee_id')),  -- an employee_id comes from the company's own list
    created_at  timestamptz NOT NULL DEFAULT now()                       -- since when
);
CREATE INDEX aliases_by_account ON aliases (account_id);

-- What a risky command is confirmed with. Without a row, a code is sent to the phone instead.
CREATE TABLE pins (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,  -- whose
    salt        bytea NOT NULL,                                          -- of the digest
    digest      bytea NOT NULL,                                          -- scrypt of the PIN
    tries       smallint NOT NULL DEFAULT 0,                             -- wrong ones since the last right one
    locked_at   timestamptz,                                             -- after twenty of them; an operator sets a new PIN
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when it was set
);

-- Wrong codes and PINs that were given in somebody's name, of any kind and over any channel. Five lock for a while.
CREATE TABLE lockouts (
    account_id    bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,  -- in whose name
    wrong         smallint NOT NULL DEFAULT 0,                           -- since the last right one, the last lock, or a day without any
    channels      text[] NOT NULL DEFAULT '{}',                          -- over which those came: sms, email, cli
    wrong_at      timestamptz,                                           -- when the last one came
    locks         smallint NOT NULL DEFAULT 0,                           -- how many within a month: each is longer than the one before
    locked_until  timestamptz                                            -- until then nothing is confirmed over those channels
);

-- The numbers that we text from, kept in step with the settings.
CREATE TABLE senders (
    id            smallint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- in deliveries; 0 there: none, as for a mail
    number        text NOT NULL UNIQUE,                                  -- E.164, a short code, or a Messaging Service SID
    carrier       text NOT NULL,                                         -- whose it is: twilio, …
    state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired')),  -- retired: no setting names it any more
    paused_until  timestamptz,                                           -- nothing leaves from it before; infinity: until an operator resumes it
    reason        text,                                                  -- why it is paused: a code or a word
    created_at    timestamptz NOT NULL DEFAULT now()                     -- when we learnt of it
);

-- A phone, a mailbox, or all devices of a person that get pushes. One without an account is a stranger's whose opt-out we keep.
CREATE TABLE addresses (
    id            bigint PRIMARY KEY DEFAULT new_id(),                   -- time-sortable
    account_id    bigint REFERENCES accounts ON DELETE CASCADE,          -- whose it is
    channel       text NOT NULL CHECK (channel IN ('sms', 'email', 'push')),  -- how it is reached
    address       text NOT NULL,                                         -- E.164, or a mailbox in lower case; of push, which is all devices of its owner: the account's id
    state         text NOT NULL DEFAULT 'verified' CHECK (state IN ('invited', 'verified', 'stopped', 'suspended')),  -- invited: nothing goes out before it writes; stopped: opted out
    is_primary    boolean NOT NULL DEFAULT false,                        -- the one that items go to
    receiving     boolean NOT NULL DEFAULT true,                         -- false after `off`
    off_until     timestamptz,                                           -- end of an `off` with an end
    stopped_at    timestamptz,                                           -- when its owner opted out
    seen_at       timestamptz,                                           -- when it last wrote to us
    introduced_at timestamptz,                                           -- when it was first sent something; that names us, STOP and HELP
    sender_id     smallint REFERENCES senders,                           -- of a phone: the number of ours that it hears from
    created_at    timestamptz NOT NULL DEFAULT now(),                    -- when we learnt of it
    bouncing_since timestamptz,                                          -- of a mailbox: since when nothing goes there, because mails came back
    quiet         text,                                                  -- hours in which nothing rings there, by its owner's clock: mo,tu,we,th,fr 22:00-07:00; sa,su 23:30-09:00
    quiet_since   timestamptz,                                           -- since when those hours hold
    CONSTRAINT addresses_quiet_check CHECK (quiet ~ '^((mo|tu|we|th|fr|sa|su)(,(mo|tu|we|th|fr|sa|su))* \d\d:\d\d-\d\d:\d\d(; |$))+$'),
    UNIQUE (channel, address)
);
CREATE UNIQUE INDEX addresses_primary ON addresses (account_id, channel) WHERE is_primary;
CREATE INDEX addresses_by_account ON addresses (account_id);
CREATE INDEX addresses_bouncing ON addresses (bouncing_since) WHERE bouncing_since IS NOT NULL;
CREATE TRIGGER still_opted_out BEFORE INSERT ON addresses FOR EACH ROW EXECUTE FUNCTION still_opted_out();
-- Quiet hours and `off` of somebody's phone are those of their devices, too: both ring in the same pocket.
CREATE FUNCTION rest_like_phone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE addresses
    SET quiet = NEW.quiet, quiet_since = NEW.quiet_since, receiving = NEW.receiving, off_until = NEW.off_until
    WHERE account_id = NEW.account_id AND channel = 'push';
    RETURN NULL;
END $$;
CREATE TRIGGER rest_like_phone AFTER UPDATE OF quiet, quiet_since, receiving, off_until ON addresses
    FOR EACH ROW WHEN (NEW.channel = 'sms' AND NEW.is_primary) EXECUTE FUNCTION rest_like_phone();

-- Who hears whom. Joining a group is following it.
CREATE TABLE follows (
    follower_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who hears
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- whom: a person or a group
    role         text NOT NULL DEFAULT 'follower' CHECK (role IN ('owner', 'poster', 'member', 'follower')),  -- in a group; follower for people
    state        text NOT NULL DEFAULT 'active' CHECK (state IN ('requested', 'active')),  -- requested: a closed group's owner has not said yes
    by_text      boolean NOT NULL DEFAULT false,                         -- asked for from a phone: goes there; else to the mailbox
    off          boolean NOT NULL DEFAULT false,                         -- `off NAME`: follows, hears nothing
    off_until    timestamptz,                                            -- end of an `off NAME` with an end
    expires_at   timestamptz,                                            -- `follow NAME 2w`
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- since when
    way          text CONSTRAINT follows_way_check CHECK (way IN ('text', 'push', 'mail', 'digest', 'web')),  -- how it comes, whatever its cause's way is; none: by that, or as asked for
    PRIMARY KEY (follower_id, account_id),
    CHECK (follower_id <> account_id)
);
CREATE INDEX follows_by_account ON follows (account_id, follower_id);
CREATE INDEX follows_by_way ON follows (account_id, by_text, hashint8(follower_id), follower_id) INCLUDE (expires_at) WHERE state = 'active';
CREATE INDEX follows_texts ON follows (account_id) WHERE way = 'text';

-- A #tag that somebody follows. Its id stands where an account's does: it is what brings an item.
CREATE TABLE topics (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    tag         text NOT NULL UNIQUE,                                    -- case-folded, without #
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when somebody first followed it
);

-- Who hears what everyone may read under a #tag.
CREATE TABLE topic_follows (
    follower_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who hears
    topic_id     bigint NOT NULL REFERENCES topics ON DELETE CASCADE,    -- what
    by_text      boolean NOT NULL DEFAULT false,                         -- asked for from a phone: goes there; else to the mailbox
    expires_at   timestamptz,                                            -- `follow #TAG 2w`
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- since when
    way          text CONSTRAINT topic_follows_way_check CHECK (way IN ('text', 'push', 'mail', 'digest', 'web', 'nothing')),  -- how it comes, as for follows; nothing: it is followed, and not sent
    PRIMARY KEY (follower_id, topic_id)
);
CREATE INDEX topic_follows_by_topic ON topic_follows (topic_id, follower_id);

-- A word or phrase that somebody tracks, once for all who do. Its id stands where an account's does, as a topic's.
CREATE TABLE tracks (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    phrase      text COLLATE "C" NOT NULL UNIQUE,                        -- its words folded, with blanks between them, as gateway/language/track_phrases.py has them
    shown       text NOT NULL,                                           -- the same for people: lower case, with its accents
    changed_at  timestamptz NOT NULL DEFAULT now()                       -- when somebody last began or stopped to track it; without trackers it is deleted later
);

-- Who hears what everyone may read and that has the phrase in it.
CREATE TABLE trackers (
    track_id     bigint NOT NULL REFERENCES tracks,                      -- what
    follower_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who hears
    by_text      boolean NOT NULL DEFAULT false,                         -- asked for from a phone: goes there; else to the mailbox
    expires_at   timestamptz,                                            -- its end, if it has one
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- since when
    way          text CONSTRAINT trackers_way_check CHECK (way IN ('text', 'push', 'mail', 'digest', 'web', 'nothing')),  -- how it comes, as for follows; nothing: it is tracked, and not sent
    PRIMARY KEY (track_id, follower_id)
);
CREATE INDEX trackers_by_follower ON trackers (follower_id);

-- Whom somebody does not want to hear. A block holds both ways, a mute one way and often for a while.
CREATE TABLE silences (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who asked for it
    other_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- the person, or for a mute the group
    kind        text NOT NULL CHECK (kind IN ('block', 'mute')),         -- which
    expires_at  timestamptz,                                             -- end of a mute that has one
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    PRIMARY KEY (account_id, other_id),
    CHECK (account_id <> other_id)
);
CREATE INDEX silences_by_other ON silences (other_id, account_id);

-- Who last nudged whom: once a day for each pair.
CREATE TABLE nudges (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who asked
    other_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whom
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when, the last time
    PRIMARY KEY (account_id, other_id)
);

-- Phones and mailboxes that a colleague asked in; one that is nobody's yet may answer with a name and joins.
CREATE TABLE invitations (
    address_id   bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,  -- who is asked
    inviter_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- by whom
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when, the last time
    accepted_at  timestamptz                                             -- when its owner joined
);
CREATE INDEX invitations_by_inviter ON invitations (inviter_id, created_at);

-- Codes and one-use links: they end after ten minutes, after one use, or after five wrong tries.
CREATE TABLE codes (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- for whom
    purpose     text NOT NULL CHECK (purpose IN ('link', 'prove', 'login', 'sign_in')),  -- link: shown to its owner, texted from a new phone; prove: texted to a new phone, given to us by its owner; sign_in: texted or mailed to its owner, typed on a page
    address_id  bigint REFERENCES addresses ON DELETE CASCADE,           -- prove, sign_in: the phone or mailbox it was sent to; login: the one that asked
    digest      bytea NOT NULL,                                          -- keyed hash of the code
    tries       smallint NOT NULL DEFAULT 0,                             -- wrong ones
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was made
    expires_at  timestamptz NOT NULL,                                    -- until when it counts
    ended_at    timestamptz                                              -- used, replaced, or tried too often
);
CREATE INDEX codes_open ON codes (digest) WHERE ended_at IS NULL;
CREATE INDEX codes_by_account ON codes (account_id, id);

-- Who is signed in on the web, in which browser. The cookie has the token; here is only its hash.
CREATE TABLE web_sessions (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who
    digest      bytea NOT NULL UNIQUE,                                   -- SHA-256 of the token in the cookie
    began_by    text NOT NULL CHECK (began_by IN ('code', 'link', 'passkey', 'company', 'first', 'tour')), -- how they signed in
    device      text NOT NULL DEFAULT '',                                -- browser and system, as its owner knows it again: Firefox, Linux
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    seen_at     timestamptz NOT NULL DEFAULT now(),                      -- when it was last used, to the minute
    expires_at  timestamptz NOT NULL,                                    -- until when it counts; use prolongs it
    ended_at    timestamptz                                              -- signed out, by its owner or by us
);
CREATE INDEX web_sessions_by_account ON web_sessions (account_id);

-- A browser or an app that gets pushes. What stands here is a secret: whoever knows it can send to that device.
CREATE TABLE push_subscriptions (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    session_id  bigint REFERENCES web_sessions ON DELETE CASCADE,        -- of a browser: it counts while they are signed in there
    endpoint    text NOT NULL UNIQUE,                                    -- where its push service takes what is for it
    p256dh      text NOT NULL,                                           -- its public key, in base64url
    auth        text NOT NULL,                                           -- its secret, in base64url
    encoding    text NOT NULL DEFAULT 'standard' CHECK (encoding IN ('standard', 'legacy')),  -- aes128gcm (RFC 8291), or aesgcm of the drafts before it
    device      text NOT NULL DEFAULT '',                                -- browser and system, as its owner knows it again
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    used_at     timestamptz                                              -- when its push service last took something
);
CREATE INDEX push_subscriptions_by_account ON push_subscriptions (account_id);
CREATE INDEX push_subscriptions_by_session ON push_subscriptions (session_id);

-- How far somebody has read a place on the web.
CREATE TABLE read_marks (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who
    place       text NOT NULL,                                           -- home, to_you, group:ID, private:ID; in apps: notifications, cleared, hidden:ID
    upto        bigint NOT NULL,                                         -- the newest post that was shown there
    read_at     timestamptz NOT NULL DEFAULT now(),                      -- when
    PRIMARY KEY (account_id, place)
);

-- What somebody began to write on the web, one for each audience. It is never sent by itself.
CREATE TABLE web_drafts (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who
    audience    text NOT NULL,                                           -- everyone, to:ID of a person or group, re:ID of what it answers
    words       text NOT NULL,                                           -- so far
    written_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was last changed
    PRIMARY KEY (account_id, audience)
);

-- How the pages look and what keys do, for who changed something.
CREATE TABLE web_settings (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE, -- whose
    look        text CHECK (look IN ('light', 'dark')),                  -- none: as the device is
    keys        boolean NOT NULL DEFAULT true                            -- whether single letters do something (WCAG 2.1.4)
);

-- The line beside a person's name: where they are, what they do now.
CREATE TABLE statuses (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE, -- whose
    words       text NOT NULL CHECK (words <> ''),                       -- the line
    until       timestamptz,                                             -- its end; none: until they change it
    created_at  timestamptz NOT NULL DEFAULT now()                       -- since when
);

-- Passkeys (WebAuthn) by which somebody signs in.
CREATE TABLE passkeys (
    id             bigint PRIMARY KEY DEFAULT new_id(),                  -- time-sortable
    account_id     bigint NOT NULL REFERENCES accounts ON DELETE CASCADE, -- whose
    credential_id  bytea NOT NULL UNIQUE,                                -- as the browser names it
    public_key     bytea NOT NULL,                                       -- COSE
    sign_count     bigint NOT NULL DEFAULT 0,                            -- its own count of uses: one that goes back is a copy
    name           text NOT NULL,                                        -- as its owner knows it again
    created_at     timestamptz NOT NULL DEFAULT now(),                   -- when it was added
    used_at        timestamptz                                           -- when it was last used
);
CREATE INDEX passkeys_by_account ON passkeys (account_id);

-- Who somebody is in the company's own directory (OpenID Connect), from their first sign-in on.
CREATE TABLE company_accounts (
    issuer      text NOT NULL,                                           -- whose directory
    subject     text NOT NULL,                                           -- its id of the person
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who that is here
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX company_accounts_by_account ON company_accounts (account_id);

-- Apps that speak the client API, as they registered themselves. An app without a token is forgotten after a day.
CREATE TABLE apps (
    id             bigint PRIMARY KEY DEFAULT new_id(),                  -- time-sortable
    client_id      text NOT NULL UNIQUE,                                 -- by which it names itself
    secret_digest  bytea NOT NULL,                                       -- SHA-256 of its secret
    name           text NOT NULL CHECK (name <> ''),                     -- as it calls itself
    website        text,                                                 -- of its makers
    redirect_uris  text[] NOT NULL,                                      -- where people are led back to, exactly
    scopes         text[] NOT NULL,                                      -- the most that it may ask for
    created_at     timestamptz NOT NULL DEFAULT now()                    -- when it registered
);

-- Codes by which somebody lets an app in, each good for one token (RFC 6749 4.1).
CREATE TABLE app_codes (
    id            bigint PRIMARY KEY DEFAULT new_id(),                   -- time-sortable
    digest        bytea NOT NULL UNIQUE,                                 -- SHA-256 of the code
    app_id        bigint NOT NULL REFERENCES apps ON DELETE CASCADE,     -- which app
    account_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE, -- who lets it in
    redirect_uri  text NOT NULL,                                         -- where the code was sent to
    scopes        text[] NOT NULL,                                       -- for what
    challenge     text,                                                  -- SHA-256 of what the app must know to use it (PKCE, S256)
    created_at    timestamptz NOT NULL DEFAULT now(),                    -- when it was made
    expires_at    timestamptz NOT NULL,                                  -- until when it counts
    used_at       timestamptz                                            -- when a token was asked for with it
);
CREATE INDEX app_codes_by_app ON app_codes (app_id);
CREATE INDEX app_codes_by_account ON app_codes (account_id);

-- Tokens of apps. What somebody may do now is asked of their account each time.
CREATE TABLE app_tokens (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    app_id      bigint NOT NULL REFERENCES apps ON DELETE CASCADE,       -- whose
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,            -- for whom it acts; none: for itself
    digest      bytea NOT NULL UNIQUE,                                   -- SHA-256 of the token
    scopes      text[] NOT NULL,                                         -- for what
    code_id     bigint,                                                  -- the code that it was got for: a second use ends it
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    seen_at     timestamptz NOT NULL DEFAULT now(),                      -- when it was last used, to the minute
    ended_at    timestamptz                                              -- taken back, by its owner, the app or us
);
CREATE INDEX app_tokens_by_app ON app_tokens (app_id);
CREATE INDEX app_tokens_by_account ON app_tokens (account_id);
CREATE INDEX app_tokens_by_code ON app_tokens (code_id);

-- What a door accepted, as it came. The natural key stays for ever, the rest for 30 days.
CREATE TABLE inbound (
    id            bigint PRIMARY KEY DEFAULT new_id(),                   -- time-sortable
    channel       text NOT NULL CHECK (channel IN ('sms', 'email', 'cli')),  -- the door
    natural_key   bytea NOT NULL,                                        -- SHA-256 of hash_key and the carrier's id (sms) or of envelope and content (mail)
    sender        text NOT NULL,                                         -- E.164 or mailbox, as the transport says
    recipients    text[] NOT NULL,                                       -- our number, or the accepted RCPTs
    message_id    text,                                                  -- MessageSid or Message-ID
    text          text,                                                  -- sms: the body
    raw           bytea,                                                 -- the form or the mail, byte for byte
    trusted       boolean NOT NULL,                                      -- the sender is proved; else it is held
    opt_out_type  text,                                                  -- sms: the carrier itself has answered STOP, START or HELP
    flagged       boolean NOT NULL DEFAULT false,                        -- mail: this Message-ID came before with other content
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('unproved', 'new', 'working', 'done', 'held', 'dropped', 'quarantined')),  -- unproved: a mail whose sender is still to be proved; dropped: a machine's, or an operator's word; quarantined: crashed three workers
    attempt       smallint NOT NULL DEFAULT 0,                           -- how often a worker took it; fences late ones
    lease_until   timestamptz,                                           -- until when the worker may have it
    lease_owner   text,                                                  -- which worker
    account_id    bigint REFERENCES accounts ON DELETE SET NULL,         -- who wrote it
    intent        text,                                                  -- what it was read as
    reason        text,                                                  -- why, in words for people
    received_at   timestamptz NOT NULL DEFAULT now(),                    -- when the door committed it
    done_at       timestamptz,                                           -- when its effects committed
    sent_at       timestamptz,                                           -- when it was sent, where that is known: it came late, from the carrier's list or our spool
    not_before    timestamptz,                                           -- its sender wrote more than is read at once: it is read then
    proof         text,                                                  -- mail: how its sender was proved: relay, secret, token, dmarc, confirmed; asked: it is held, and they were asked
    UNIQUE (channel, natural_key)
);
CREATE INDEX inbound_open ON inbound (id) WHERE state IN ('new', 'working');
CREATE INDEX inbound_open_by_sender ON inbound (channel, sender, id) WHERE state IN ('new', 'working');
CREATE INDEX inbound_by_message_id ON inbound (message_id);
CREATE INDEX inbound_held ON inbound (id) WHERE state IN ('held', 'quarantined');
CREATE INDEX inbound_read_by_sender ON inbound (channel, sender, id) WHERE state NOT IN ('new', 'working');
CREATE INDEX inbound_wrong_codes ON inbound (id) WHERE reason = 'a wrong code of a stranger';
CREATE INDEX inbound_unproved ON inbound (channel, sender, id) WHERE state = 'unproved';
CREATE INDEX inbound_later ON inbound (not_before) WHERE state = 'new' AND not_before IS NOT NULL;

-- Signed mails that took effect: the same signature takes effect once, whatever is added to the mail and however it
-- comes. Kept for ever, as natural keys are; there is no foreign key, for a row outlives what it says.
CREATE TABLE mail_signatures (
    digest      bytea PRIMARY KEY,                                       -- SHA-256 of hash_key and a mark of the mail: its DKIM signature (b=), or its date, To and body
    inbound_id  bigint NOT NULL                                          -- the mail that has taken effect
);

-- The secret addresses by which people may post from anywhere (post+SECRET@): a secret is made of its seed and our key.
CREATE TABLE posting_addresses (
    account_id  bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,  -- whose
    seed        bytea NOT NULL,                                          -- random; with our key it gives the secret, so that it can be shown again
    digest      bytea NOT NULL UNIQUE,                                   -- SHA-256 of the secret, by which a mail's is found
    made_at     timestamptz NOT NULL DEFAULT now()                       -- when; a new one ends the old
);

-- How far the carrier's own list of texts to each of our numbers has been read, for those whose web hook never came.
CREATE TABLE watermarks (
    number       text PRIMARY KEY,                                       -- ours, E.164
    since        timestamptz NOT NULL DEFAULT now(),                     -- texts from before it are none of ours
    read_until   timestamptz,                                            -- when the last complete reading began
    asked_at     timestamptz,                                            -- when the list was last asked for
    failures     smallint NOT NULL DEFAULT 0,                            -- readings since that were not complete
    reason       text,                                                   -- why the last one was not
    lease_until  timestamptz,                                            -- until when one process has it to itself
    lease_owner  text                                                    -- which
);

-- Sleeps, until a restore wakes it: what was sent to us before and is listed again may have been read before.
CREATE FUNCTION hold_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'new'
        AND NEW.sent_at < (SELECT restored_at FROM installation)
    THEN
        NEW.state := 'held';
        NEW.reason := 'restored from a backup: it may have been read before';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold_restored BEFORE INSERT ON inbound FOR EACH ROW EXECUTE FUNCTION hold_restored();
ALTER TABLE inbound DISABLE TRIGGER hold_restored;
CREATE FUNCTION wake_hold_restored(awake boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF awake THEN
        ALTER TABLE inbound ENABLE TRIGGER hold_restored;
    ELSE
        ALTER TABLE inbound DISABLE TRIGGER hold_restored;
    END IF;
END $$;

-- Files that belong together: what came with a text or mail, or what somebody uploaded on a page or by the API. The one of
-- a text or mail has its id.
CREATE TABLE uploads (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,            -- who uploaded it
    inbound_id  bigint REFERENCES inbound ON DELETE CASCADE,             -- or what it came with
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    CONSTRAINT uploads_source CHECK ((inbound_id IS NULL) = (account_id IS NOT NULL))
);
CREATE UNIQUE INDEX uploads_by_inbound ON uploads (inbound_id);

-- Pictures and files that came with an inbound. The carrier, or the mail itself, has them until a worker has kept them.
CREATE TABLE media (
    inbound_id    bigint REFERENCES inbound ON DELETE CASCADE,           -- for processes of the version before: what it came with
    number        smallint NOT NULL,                                     -- its place in the upload, from 0
    url           text,                                                  -- where the carrier keeps it; null: it stands in the mail itself, as its part of this number, or in raw
    content_type  text,                                                  -- as the carrier says; once fetched, as its first bytes say
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'fetched', 'failed')),  -- failed: refused, or tried often enough
    attempt       smallint NOT NULL DEFAULT 0,                           -- how often it was tried
    not_before    timestamptz NOT NULL DEFAULT now(),                    -- when it may be tried
    sha256        bytea,                                                 -- of the content; names its file in the media folder
    size          bigint,                                                -- octets
    reason        text,                                                  -- why it failed, or is not there yet
    name          text,                                                  -- of the file, cleaned; null: it came without one
    small_sha256  bytea,                                                 -- of a picture's small copy in the same folder; null: it is small itself
    upload_id     bigint NOT NULL REFERENCES uploads ON DELETE CASCADE,  -- what it belongs to
    raw           bytea,                                                 -- the octets of a file that was uploaded by itself, until it is stored
    description   text,                                                  -- what a picture shows, in its writer's words, for those who do not see it
    width         integer,                                               -- of a picture, in pixels
    height        integer,                                               -- of a picture, in pixels
    blurhash      text,                                                  -- of a picture: what apps draw until it is there (blurha.sh)
    PRIMARY KEY (upload_id, number)
);
CREATE INDEX media_open ON media (not_before) WHERE state = 'new';
CREATE INDEX media_by_file ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_by_small_file ON media (small_sha256) WHERE small_sha256 IS NOT NULL;
CREATE INDEX media_by_inbound ON media (inbound_id);
-- What comes with a text or mail: no door needs a statement of its own for it.
CREATE FUNCTION upload_of_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO uploads (id, inbound_id) VALUES (NEW.inbound_id, NEW.inbound_id) ON CONFLICT DO NOTHING;
    NEW.upload_id := NEW.inbound_id;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_of_inbound BEFORE INSERT ON media
FOR EACH ROW WHEN (NEW.upload_id IS NULL) EXECUTE FUNCTION upload_of_inbound();

-- One thing that somebody did, by any door. What comes in by text, mail or command line is done once because its row is;
-- what a page or a client of the API asks for is done once for each key.
CREATE TABLE actions (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,            -- who did it
    door        text NOT NULL,                                           -- sms, email, cli, web, api
    inbound_id  bigint REFERENCES inbound ON DELETE CASCADE,             -- the text or mail that it comes from
    key         text,                                                    -- else the idempotency key of the request
    request     bytea,                                                   -- SHA-256 of what was asked for with that key
    result      jsonb,                                                   -- the result, for a repeat of the request
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    CONSTRAINT actions_cause CHECK ((inbound_id IS NULL) = (key IS NOT NULL))
);
CREATE UNIQUE INDEX actions_by_inbound ON actions (inbound_id);
CREATE UNIQUE INDEX actions_by_key ON actions (account_id, key);

-- What an action made or changed: committed together with it, so that doing it twice is impossible. `undo` reads it.
CREATE TABLE effects (
    inbound_id  bigint REFERENCES inbound ON DELETE CASCADE,             -- for processes of the version before: that of the action
    number      smallint NOT NULL,                                       -- its place in the action, from 0
    kind        text NOT NULL,                                           -- post, follow, unfollow, answer, …
    subject_id  bigint,                                                  -- the row it made or changed
    detail      jsonb NOT NULL DEFAULT '{}',                             -- what `undo` needs
    account_id  bigint REFERENCES accounts ON DELETE CASCADE,            -- who did it
    undone_at   timestamptz,                                             -- when it was taken back
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when it happened
    action_id   bigint NOT NULL REFERENCES actions ON DELETE CASCADE,    -- the action
    PRIMARY KEY (action_id, number)
);
CREATE INDEX effects_by_actor ON effects (account_id, action_id DESC, number DESC);
-- These two are for processes of the version before, which know effects of an inbound alone.
CREATE INDEX effects_by_account ON effects (account_id, inbound_id DESC, number DESC);
CREATE INDEX effects_by_inbound ON effects (inbound_id);
CREATE FUNCTION effect_of_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO actions (account_id, door, inbound_id)
    SELECT NEW.account_id, channel, id FROM inbound WHERE id = NEW.inbound_id
    ON CONFLICT (inbound_id) DO NOTHING;
    SELECT id INTO NEW.action_id FROM actions WHERE inbound_id = NEW.inbound_id;
    RETURN NEW;
END $$;
CREATE TRIGGER effect_of_inbound BEFORE INSERT ON effects
FOR EACH ROW WHEN (NEW.action_id IS NULL) EXECUTE FUNCTION effect_of_inbound();

-- An update.
CREATE TABLE posts (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    author_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who wrote it
    group_id     bigint REFERENCES accounts ON DELETE CASCADE,           -- the group it was posted to
    in_reply_to  bigint REFERENCES posts ON DELETE SET NULL,             -- the post it answers
    repeat_of    bigint REFERENCES posts ON DELETE CASCADE,              -- `rt`: the post it passes on, whose words it has
    visibility   text NOT NULL CHECK (visibility IN ('company', 'group', 'direct')),  -- who may read it; the rule is in network/audience/visibility
    text         text NOT NULL,                                          -- what was written
    lang         text,                                                   -- BCP 47, when the writer said so
    via          text NOT NULL,                                          -- sms, email, cli, …
    inbound_id   bigint REFERENCES inbound ON DELETE SET NULL,           -- what it came from
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when
    deleted_at   timestamptz,                                            -- when it was taken back
    pictures_of  bigint REFERENCES inbound ON DELETE SET NULL,           -- for processes of the version before: the inbound of upload_id
    attached     text,                                                   -- its media as a text names them: photo, 2 photos, 3 files
    upload_id    bigint REFERENCES uploads ON DELETE SET NULL,           -- whose media it shows: of what it came from, of what its writer was asked about, or uploaded for it
    search       tsvector,                                               -- its words for `who about`, as written (A) and stemmed (B); made by index_post
    call         text CHECK (call IN ('rollcall', 'ask'))                -- it asks each of its readers to answer: its row in calls says until when
);
CREATE INDEX posts_by_author ON posts (author_id, id DESC);
CREATE INDEX posts_by_group ON posts (group_id, id DESC);
CREATE INDEX posts_by_parent ON posts (in_reply_to);
CREATE INDEX posts_by_repeated ON posts (repeat_of) WHERE repeat_of IS NOT NULL;
CREATE INDEX posts_with_pictures ON posts (pictures_of) WHERE pictures_of IS NOT NULL;
CREATE INDEX posts_by_upload ON posts (upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX posts_by_search ON posts USING gin (search)
    WITH (gin_pending_list_limit = 256) WHERE search IS NOT NULL;
-- Processes of the version before know the files of an inbound alone.
CREATE FUNCTION upload_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.upload_id := NEW.pictures_of;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_of_post BEFORE UPDATE OF pictures_of ON posts
FOR EACH ROW WHEN (NEW.pictures_of IS DISTINCT FROM OLD.pictures_of AND NEW.upload_id IS NOT DISTINCT FROM OLD.upload_id)
EXECUTE FUNCTION upload_of_post();

-- What can be found of a post: nothing once it is taken back or erased, and never anything private or passed on. Whether a
-- group's posts may be found depends on what the group is now, so that is asked when somebody searches.
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

-- Who a direct post is for: people, as they were at that moment.
CREATE TABLE post_recipients (
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- the direct post
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- a person who may read it
    named_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- what the writer named: that person, or their group
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX post_recipients_by_account ON post_recipients (account_id, post_id DESC);

-- What private posts and posts in closed groups say, as keyed hashes of word runs: whoever got one, or wrote it, is
-- asked before the same words become readable by more people. Kept for 90 days; no words can be read from it.
CREATE TABLE private_fingerprints (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,   -- the private post
    runs        bigint[] NOT NULL                                        -- a hash of each run of about six words, or of the whole when it is shorter
);
CREATE INDEX private_fingerprints_by_run ON private_fingerprints USING gin (runs) WITH (fastupdate = off);

-- @names in a post.
CREATE TABLE mentions (
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- where
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX mentions_by_account ON mentions (account_id, post_id DESC);

-- #words in a post.
CREATE TABLE tags (
    post_id  bigint NOT NULL REFERENCES posts ON DELETE CASCADE,         -- where
    tag      text NOT NULL,                                              -- case-folded, without #
    PRIMARY KEY (tag, post_id)
);
CREATE INDEX tags_by_post ON tags (post_id);

-- Likes, thumbs and the like.
CREATE TABLE reactions (
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- to what
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    kind        text NOT NULL,                                           -- like, laugh, … or the emoji itself
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    PRIMARY KEY (post_id, account_id, kind)
);
CREATE INDEX reactions_by_account ON reactions (account_id, post_id DESC);

-- Updates that somebody marked by an app to find them again. Nobody else sees it.
CREATE TABLE bookmarks (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- which
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX bookmarks_by_post ON bookmarks (post_id);

-- Own updates that apps show first of somebody.
CREATE TABLE pinned_posts (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- which
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX pinned_posts_by_post ON pinned_posts (post_id);

-- What somebody has dismissed of what is to them, so that an app shows it no more. What is to them is no table: its ids are
-- made of when it happened.
CREATE TABLE dismissed_notices (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who
    id          bigint NOT NULL,                                         -- of the notice; time-sortable
    PRIMARY KEY (id, account_id)
);
CREATE INDEX dismissed_notices_by_account ON dismissed_notices (account_id);

-- What an app was told would go to many phones: the same call within ten minutes says yes. Older ones go with the next.
CREATE TABLE reach_questions (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who was asked
    request     bytea NOT NULL,                                          -- SHA-256 of the call
    asked_at    timestamptz NOT NULL DEFAULT now(),                      -- when
    PRIMARY KEY (account_id, request)
);

-- Lists of people and groups whose updates somebody reads together in an app. Nobody else knows of them.
CREATE TABLE lists (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    title       text NOT NULL CHECK (title <> ''),                       -- as they call it
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when it was made
);
CREATE INDEX lists_by_account ON lists (account_id);

-- Who is in a list: only while its owner follows them.
CREATE TABLE list_accounts (
    list_id     bigint NOT NULL REFERENCES lists ON DELETE CASCADE,      -- the list
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- a person or a group
    PRIMARY KEY (list_id, account_id)
);
CREATE INDEX list_accounts_by_account ON list_accounts (account_id);

-- What must go out, rendered once for all who get it.
CREATE TABLE messages (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    kind         text NOT NULL CHECK (kind IN ('update', 'answer', 'notice', 'code', 'welcome', 'daily', 'digest')),  -- update: a post's copy; answer: to one inbound; notice: nobody asked; welcome: the one text that an invited phone gets; daily: what colleagues wrote, for who follows nobody; digest: what had to wait for its reader
    author_id    bigint REFERENCES accounts ON DELETE CASCADE,           -- whose words; none for Critter's own
    post_id      bigint REFERENCES posts ON DELETE CASCADE,              -- the post it carries
    inbound_id   bigint REFERENCES inbound ON DELETE CASCADE,            -- what it answers
    priority     smallint NOT NULL DEFAULT 5,                            -- 0 codes and urgent calls, 1 private, 2 answers and notices, 5 updates, 9 digests
    must_arrive  boolean NOT NULL DEFAULT false,                         -- an unresolved unknown is sent once more
    text         text NOT NULL,                                          -- the text message, without what differs by recipient
    subject      text NOT NULL,                                          -- of the mail
    body         text NOT NULL,                                          -- of the mail
    instead_of   bigint REFERENCES messages ON DELETE CASCADE,           -- a mail that goes where this text could not
    note         text,                                                   -- of such a mail: the sentence that says why, with which its body ends
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when it was rendered
    quotes       bigint[]                                                -- posts whose words are in an answer or a notice: it leaves only while its reader may read them
);
CREATE UNIQUE INDEX messages_instead ON messages (instead_of, note) WHERE instead_of IS NOT NULL;
CREATE UNIQUE INDEX messages_one_answer ON messages (inbound_id) WHERE kind = 'answer';
CREATE INDEX messages_by_post ON messages (post_id);

-- What the numbers in a daily mail stand for, for whoever answers it.
CREATE TABLE daily_mails (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,  -- the mail
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- its reader
    posts       bigint[] NOT NULL                                        -- posts' ids, the first is number 1
);
CREATE INDEX daily_mails_by_account ON daily_mails (account_id);

-- One message to one address. Partitioned by month, so that old months are dropped, not deleted.
-- An open row has no ended_at; (author_id, address_id) is its lane: one row of a lane is on the road at a time.
CREATE TABLE deliveries (
    message_id          bigint NOT NULL,                                 -- what
    address_id          bigint NOT NULL,                                 -- where to
    author_id           bigint NOT NULL DEFAULT 0,                       -- whose words; 0 for Critter's own; half of the lane
    source_id           bigint,                                          -- what brings it: the account, topic or track that its reader follows; none when addressed or answered
    channel             text NOT NULL CHECK (channel IN ('sms', 'email', 'push')),  -- which worker sends it
    sender_id           smallint NOT NULL DEFAULT 0,                     -- of a text: the number of ours that it leaves from
    priority            smallint NOT NULL,                               -- of the message
    state               text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'unknown', 'retry', 'failed', 'cancelled', 'held')),  -- see docs; held: an end, the row in held says what it waits for
    attempt             smallint NOT NULL DEFAULT 0,                     -- how often it was tried; fences late workers
    not_before          timestamptz NOT NULL DEFAULT now(),              -- when it may be tried; unknown: when it is looked for next
    give_up_at          timestamptz NOT NULL,                            -- when trying ends
    lease_until         timestamptz,                                     -- until when the worker may have it
    lease_owner         text,                                            -- which worker
    reason              text,                                            -- why it is in this state: a code or a word
    segments            smallint,                                        -- text parts that were paid for
    tag                 text,                                            -- letter and digit that the text ended with
    introduces          boolean NOT NULL DEFAULT false,                  -- the first text to a phone: it says who we are, STOP and HELP
    possible_duplicate  boolean NOT NULL DEFAULT false,                  -- sent again after an unknown
    created_at          timestamptz NOT NULL DEFAULT now(),              -- when it was put here
    sent_at             timestamptz,                                     -- when the carrier took it
    ended_at            timestamptz,                                     -- when nothing more will be tried
    PRIMARY KEY (message_id, address_id)
) PARTITION BY RANGE (message_id);
CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT WITH (fillfactor = 50);
-- A claim changes nothing that an index here is made of, and finds room in the same page (fillfactor).
CREATE INDEX deliveries_due ON deliveries (channel, sender_id, priority, message_id) WHERE ended_at IS NULL;
CREATE INDEX deliveries_lanes ON deliveries (address_id, author_id, message_id) WHERE ended_at IS NULL;
CREATE INDEX deliveries_later ON deliveries (not_before) WHERE ended_at IS NULL AND not_before <> created_at;
CREATE INDEX deliveries_by_address ON deliveries (address_id, message_id DESC);
CREATE INDEX deliveries_dead ON deliveries (message_id, address_id) WHERE ended_at IS NOT NULL AND reason IS NOT NULL;
-- Makes the partition of the month of `moment`; harmless when it is there.
CREATE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month  timestamptz := date_trunc('month', moment, 'UTC');
    name   text := 'deliveries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF moment NOT BETWEEN now() - interval '10 years' AND now() + interval '10 years' THEN
        RAISE EXCEPTION '% is no month of ours', moment USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF deliveries FOR VALUES FROM (%s) TO (%s)'
                       ' WITH (fillfactor = 50)',
                       name, id_at(month), id_at(month + interval '1 month'));
    END IF;
END $$;
-- Moves about `most` rows of the month of `moment` from deliveries_default into the month's partition, which is made when
-- it is missing, and grows with them: until all are moved it ends behind the last one. Others wait meanwhile.
CREATE FUNCTION move_from_default(moment timestamptz, most integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month   timestamptz := date_trunc('month', moment, 'UTC');
    name    text := 'deliveries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
    low     bigint := id_at(month);
    high    bigint := id_at(month + interval '1 month');
    fields  text;
    upto    bigint;
BEGIN
    IF moment NOT BETWEEN now() - interval '10 years' AND now() + interval '10 years' THEN
        RAISE EXCEPTION '% is no month of ours', moment USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO fields
        FROM pg_attribute WHERE attrelid = 'deliveries'::regclass AND attnum > 0 AND NOT attisdropped;
    SELECT message_id + 1 INTO upto FROM deliveries_default
        WHERE message_id >= low AND message_id < high ORDER BY message_id OFFSET most - 1 LIMIT 1;
    upto := least(coalesce(upto, high), high);
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE deliveries INCLUDING ALL) WITH (fillfactor = 50)', name);
    ELSIF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(name)) THEN
        EXECUTE format('ALTER TABLE deliveries DETACH PARTITION %I', name);
    END IF;
    EXECUTE format('WITH moved AS (DELETE FROM deliveries_default WHERE message_id >= %s AND message_id < %s RETURNING *)'
                   ' INSERT INTO %I (%s) SELECT %s FROM moved', low, upto, name, fields, fields);
    EXECUTE format('ALTER TABLE deliveries ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, low, upto);
END $$;
-- Drops a month of deliveries, unless something in it is open or waits for its reader; whether it did.
CREATE FUNCTION drop_partition(month text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    low   bigint;
    high  bigint;
    open  boolean;
BEGIN
    IF month !~ '^deliveries_\d{4}_\d\d$' OR NOT EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'deliveries'::regclass AND inhrelid = to_regclass(month)
    ) THEN
        RAISE EXCEPTION '% is no month of deliveries', month USING ERRCODE = 'invalid_parameter_value';
    END IF;
    low := id_at(to_date(right(month, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC');
    high := id_at((to_date(right(month, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC');
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', month);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE ended_at IS NULL)', month) INTO open;
    open := open
        OR EXISTS (SELECT FROM held WHERE state IN ('waiting', 'folded') AND message_id >= low AND message_id < high)
        OR EXISTS (SELECT FROM held WHERE state = 'folded' AND digest_id >= low AND digest_id < high);
    IF NOT open THEN
        EXECUTE format('DROP TABLE %I', month);
    END IF;
    RETURN NOT open;
END $$;

-- What waits for its reader: until their quiet hours end, what they turned off is on again, or their next digest is due.
-- Its delivery has ended as held. Each row must still end: as sent, folded into a digest that then leaves, or cancelled
-- with a reason. There are no foreign keys, as for deliveries.
CREATE TABLE held (
    message_id  bigint NOT NULL,                                         -- what
    account_id  bigint NOT NULL,                                         -- for whom
    address_id  bigint NOT NULL,                                         -- where it was to go
    author_id   bigint NOT NULL DEFAULT 0,                               -- whose words; 0 for Critter's own
    source_id   bigint,                                                  -- what brings it, as in deliveries
    cause       smallint NOT NULL CHECK (cause BETWEEN 0 AND 8),         -- what brings it, by kind: gateway/attention/causes.py
    reason      text NOT NULL CHECK (reason IN ('quiet', 'off_till', 'behind', 'digest', 'over', 'online', 'unseen')),  -- why it waits; behind: others for that address are about to leave; over: its reader has had the texts of their day; online: they are on the web, and may see it there; unseen: it came on the web, and they may not see it
    until       timestamptz NOT NULL,                                    -- when it is decided about again
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'folded', 'sent', 'seen', 'cancelled')),  -- folded: into a digest that is about to leave; seen: on the web, so it is not sent any more
    why         text,                                                    -- cancelled: why
    digest_id   bigint,                                                  -- the digest that it is folded into
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when it waits
    ended_at    timestamptz,                                             -- when it was sent, or cancelled
    slot        timestamp,                                               -- for a daily or weekly digest: its date, at 00:00; none: for one that was asked for
    delayed_until timestamptz,                                           -- until when its reader had time to see it on the web; they have that once
    seen_at     timestamptz,                                             -- when they saw it there
    PRIMARY KEY (message_id, account_id)
);
CREATE INDEX held_due ON held (until) WHERE state = 'waiting';
CREATE INDEX held_by_person ON held (account_id, until) WHERE state = 'waiting';
CREATE INDEX held_folded ON held (digest_id) WHERE state = 'folded';
CREATE INDEX held_by_digest ON held (digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX held_by_address ON held (address_id);
CREATE INDEX held_online ON held (address_id) WHERE state = 'waiting' AND reason = 'online';

-- One message made of what waited for one person. The key keeps a second one from being made for the same moment.
CREATE TABLE digests (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,  -- the message
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- its reader
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- where it goes
    kind        text NOT NULL CHECK (kind IN ('wake', 'back', 'day', 'week', 'now', 'return', 'over')),  -- wake: after quiet hours; back: after an `off` with an end; now: asked for; over: of what was over the texts of a day alone; return: `digest back`
    slot        timestamp NOT NULL,                                      -- the moment for which it was made, as its reader's wall clock shows it; day and week: the date, at 00:00
    posts       bigint[] NOT NULL DEFAULT '{}',                          -- what its numbers stand for; written when it leaves
    folded      integer NOT NULL DEFAULT 0,                              -- how many items it was made of
    UNIQUE (address_id, kind, slot)
);
CREATE INDEX digests_by_account ON digests (account_id);

-- A post that asks each of its readers to answer. rollcall: an urgent post, which each of them acknowledges; whoever has
-- not is told again in steps. ask: a question, whose answers come to its writer in one summary. next_at is the clock: what
-- is due is done once, in the transaction that moves it.
CREATE TABLE calls (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,   -- the post
    kind        text NOT NULL CHECK (kind IN ('rollcall', 'ask')),       -- what it asks for
    asker_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who asks, and is told the answers
    group_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose followers are asked
    step_after  interval,                                                -- roll-calls: from one step to the next
    next_at     timestamptz,                                             -- when its report, and then its end, is due; none: it has ended
    ends_at     timestamptz NOT NULL,                                    -- when it ends at the latest
    ended_at    timestamptz,                                             -- when it ended
    ending      text CHECK (ending IN ('all', 'time', 'undone')),        -- how: everybody has answered, its time was over, it was taken back
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was sent
    CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX calls_due ON calls (next_at) WHERE ended_at IS NULL;
CREATE INDEX calls_by_asker ON calls (asker_id);
CREATE INDEX calls_by_group ON calls (group_id);

-- Who is asked by a call: everybody who followed the group at that moment, but its writer.
CREATE TABLE call_people (
    post_id       bigint NOT NULL REFERENCES calls ON DELETE CASCADE,    -- by which
    account_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who
    step          smallint NOT NULL DEFAULT 0 CHECK (step BETWEEN 0 AND 3),  -- 0 told, 1 mailed, 2 told on other phones too, 3 the call has ended without an answer
    next_at       timestamptz,                                           -- when the next step is due; none: there is none
    answered_at   timestamptz,                                           -- when they answered
    late          boolean NOT NULL DEFAULT false,                        -- they answered after the end
    text          text,                                                  -- ask: the newest answer; emptied together with deliveries of that age
    inbound_id    bigint REFERENCES inbound ON DELETE SET NULL,          -- what answered
    retracted_at  timestamptz,                                           -- ask: when they took their answer back
    gone          text CHECK (gone IN ('opted_out', 'off', 'unreached', 'left', 'deactivated')),  -- why nobody waits for their answer: nothing reached them, or they have left since
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX call_people_due ON call_people (next_at) WHERE answered_at IS NULL AND next_at IS NOT NULL;
CREATE INDEX call_people_by_account ON call_people (account_id, post_id);
CREATE INDEX call_people_by_inbound ON call_people (inbound_id) WHERE inbound_id IS NOT NULL;

-- Deliveries and what waits go with their message and their address. No foreign keys: to check two for each row would be
-- a third of the work of a fan-out, and these two know all that is deleted.
CREATE FUNCTION forget_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries USING gone WHERE deliveries.message_id = gone.id;
    DELETE FROM held USING gone WHERE held.message_id = gone.id;
    UPDATE held SET state = 'waiting', until = now(), digest_id = NULL FROM gone  -- what was in a digest that is gone
        WHERE held.digest_id = gone.id AND held.state = 'folded';
    RETURN NULL;
END $$;
CREATE TRIGGER forget_deliveries AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_message();
CREATE FUNCTION forget_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries USING gone WHERE deliveries.address_id = gone.id;
    DELETE FROM held USING gone WHERE held.address_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_deliveries AFTER DELETE ON addresses REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_address();

-- One try of one delivery. A status callback binds to it; its first terminal status wins.
-- No foreign key to deliveries: to check one into a partitioned table takes longer than all the rest of a claim.
CREATE TABLE attempts (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- the callback token is this, signed
    message_id  bigint NOT NULL,                                         -- the delivery: what
    address_id  bigint NOT NULL,                                         -- the delivery: where to
    number      smallint NOT NULL,                                       -- the delivery's attempt, from 1
    state       text NOT NULL DEFAULT 'sending' CHECK (state IN ('sending', 'sent', 'delivered', 'unknown', 'retry', 'failed')),  -- how it ended
    carrier_id  text,                                                    -- the carrier's own id
    status      text,                                                    -- the furthest status the carrier called back
    reason      text,                                                    -- code or word
    started_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was claimed
    ended_at    timestamptz,                                             -- when it was settled
    body_hash   bytea,                                                   -- of a text: the keyed SHA-256 of its words, by which it is known in the carrier's list
    UNIQUE (message_id, address_id, number)
);
CREATE INDEX attempts_by_carrier_id ON attempts (carrier_id) WHERE carrier_id IS NOT NULL;
CREATE INDEX attempts_filtered ON attempts (id) WHERE reason IN ('30004', '30007');

-- Texts that no phone took and whose words went to its owner's mailbox: once for each.
CREATE TABLE fallbacks (
    message_id  bigint NOT NULL REFERENCES messages ON DELETE CASCADE,   -- the delivery that ended: what
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- the delivery that ended: where to
    mail_id     bigint NOT NULL REFERENCES messages ON DELETE CASCADE,   -- the delivery instead: what
    mailbox_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- the delivery instead: where to
    reason      text NOT NULL,                                           -- why: a code or a word
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    PRIMARY KEY (message_id, address_id)
);
CREATE INDEX fallbacks_by_mail ON fallbacks (mail_id, mailbox_id);

-- Mails that came back: each delivery counts once, however many copies of its bounce there are.
CREATE TABLE bounces (
    message_id  bigint NOT NULL REFERENCES messages ON DELETE CASCADE,   -- the delivery: what
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- the delivery: where to
    kind        text NOT NULL CHECK (kind IN ('hard', 'soft')),          -- for good, or for now
    status      text NOT NULL,                                           -- RFC 3463's code, or bounced
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when we heard of it
    PRIMARY KEY (message_id, address_id)
);
CREATE INDEX bounces_by_address ON bounces (address_id);
CREATE INDEX bounces_by_time ON bounces (created_at);

-- How a mailbox that sends mail back stands. No row: none came back since it last worked.
CREATE TABLE bouncing (
    address_id  bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,  -- which mailbox
    score       double precision NOT NULL,                               -- hard 1, soft 0.5; from 5 on it is off; begins anew after 7 quiet days
    status      text NOT NULL,                                           -- why the last one came back
    bounced_at  timestamptz NOT NULL DEFAULT now(),                      -- when the last one did
    warned_at   timestamptz,                                             -- when its owner, or the operators, were told
    probes      smallint NOT NULL DEFAULT 0,                             -- test mails since it is off
    probe_id    bigint REFERENCES messages ON DELETE SET NULL,           -- the test mail that is out
    probe_at    timestamptz                                              -- when the next one goes, or the one that is out counts as arrived
);
CREATE INDEX bouncing_due ON bouncing (probe_at) WHERE probe_at IS NOT NULL;
CREATE INDEX bouncing_by_probe ON bouncing (probe_id) WHERE probe_id IS NOT NULL;

-- Status callbacks as they came.
CREATE TABLE callbacks (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    attempt_id   bigint NOT NULL,                                        -- from the token; may not be settled yet
    carrier_id   text NOT NULL,                                          -- the carrier's id of the message; empty: it gives none
    status       text NOT NULL,                                          -- in that carrier's words, such as Twilio's MessageStatus
    reason       text,                                                   -- its code, such as Twilio's ErrorCode
    received_at  timestamptz NOT NULL DEFAULT now(),                     -- when
    applied_at   timestamptz,                                            -- when the attempt took note
    carrier      text NOT NULL DEFAULT 'twilio'                          -- whose words these are
);
CREATE INDEX callbacks_open ON callbacks (id) WHERE applied_at IS NULL;
CREATE INDEX callbacks_by_attempt ON callbacks (attempt_id);

-- A post on its way to its audience. Expanded in chunks; a crash resumes at the cursor.
CREATE TABLE fanouts (
    message_id   bigint NOT NULL REFERENCES messages ON DELETE CASCADE,  -- what is spread
    source_id    bigint NOT NULL,                                        -- whose followers: a group's or a person's, a topic's, a track's; 0: only those it names
    post_id      bigint NOT NULL REFERENCES posts ON DELETE CASCADE,     -- whose audience
    author_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- one author's fan-outs run in order
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'cancelled')),  -- cancelled by `undo`
    not_before   timestamptz NOT NULL DEFAULT now(),                     -- end of the hold
    reached      bigint NOT NULL DEFAULT 0,                              -- the cursor: the highest account id that was expanded
    texts        bigint  NOT NULL DEFAULT 0,                             -- deliveries made, by text
    mails        bigint  NOT NULL DEFAULT 0,                             -- deliveries made, by mail
    pushes       bigint  NOT NULL DEFAULT 0,                             -- deliveries made, by push
    attempt      smallint NOT NULL DEFAULT 0,                            -- failed tries since the last chunk; each waits longer
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when it was put here
    done_at      timestamptz,                                            -- when the last chunk committed
    PRIMARY KEY (message_id, source_id)
);
CREATE INDEX fanouts_open ON fanouts (author_id, message_id, source_id) WHERE state = 'waiting';
CREATE INDEX fanouts_by_post ON fanouts (post_id);

-- What the author of a post is told about it later, once.
CREATE TABLE tellings (
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- about what
    kind        text NOT NULL CHECK (kind IN ('counts', 'delay')),       -- counts: how a wide post went out; delay: a mail is late
    due_at      timestamptz NOT NULL DEFAULT now(),                      -- when
    told_at     timestamptz,                                             -- when it was told
    PRIMARY KEY (post_id, kind)
);
CREATE INDEX tellings_open ON tellings (due_at) WHERE told_at IS NULL;

-- An update that asks something: its author may be offered to ask people who wrote about it. A row without an offer waits
-- until people have been looked for, and goes when there are too few.
CREATE TABLE offers (
    post_id     bigint PRIMARY KEY REFERENCES posts ON DELETE CASCADE,   -- the update
    author_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who wrote it
    due_at      timestamptz NOT NULL DEFAULT now(),                      -- when people are looked for
    word        text,                                                    -- what they wrote about; none: no offer was made yet
    offered_at  timestamptz,                                             -- when it was made
    CONSTRAINT offers_made CHECK ((word IS NULL) = (offered_at IS NULL))
);
CREATE INDEX offers_open ON offers (due_at) WHERE offered_at IS NULL;
CREATE INDEX offers_by_author ON offers (author_id, offered_at);

-- Whom an author was offered to ask.
CREATE TABLE offer_people (
    post_id     bigint NOT NULL REFERENCES offers ON DELETE CASCADE,     -- the update
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- a person
    place       smallint NOT NULL,                                       -- their place in the offer, from 1
    asked_by    bigint REFERENCES posts ON DELETE SET NULL,              -- the private post that asked them
    asked_at    timestamptz,                                             -- when; none: they were not asked
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX offer_people_by_account ON offer_people (account_id, asked_at);
CREATE INDEX offer_people_by_question ON offer_people (asked_by) WHERE asked_by IS NOT NULL;

-- Where the talk with one phone or mailbox stands.
CREATE TABLE conversations (
    address_id    bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,  -- with whom
    question      jsonb,                                                 -- kind, choices, what they act on
    expires_at    timestamptz,                                           -- until when an answer counts
    more          text,                                                  -- of versions before `remainders`; not read any more
    more_at       timestamptz,                                           -- the same
    thread_id     bigint REFERENCES posts ON DELETE SET NULL,            -- the private post that bare texts answer
    thread_until  timestamptz,                                           -- until when
    half          jsonb,                                                 -- a long private text: who got it, in case its second half follows
    half_at       timestamptz,                                           -- when its first half came in
    liked         bigint[] NOT NULL DEFAULT '{}'                         -- posts of theirs with a reaction that the next answer tells of
);

-- What `more` gives next on one phone or mailbox: the rest of words that were cut.
CREATE TABLE remainders (
    address_id  bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,  -- to whom
    text        text NOT NULL CHECK (text <> ''),                        -- the words
    posts       bigint[] NOT NULL,                                       -- whose words they are; given only while all of these may be read
    kept_at     timestamptz NOT NULL DEFAULT now()                       -- since when; an item that came later goes first
);

-- Words kept from being sent until their writer decides.
CREATE TABLE drafts (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    text        text NOT NULL,                                           -- the words
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    expires_at  timestamptz NOT NULL                                     -- when they are forgotten
);

-- What people reported to the operators.
CREATE TABLE reports (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    reporter_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who did
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- whom
    post_id      bigint REFERENCES posts ON DELETE CASCADE,              -- the item, when it is about one
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when
    closed_at    timestamptz,                                            -- when an operator was done with it
    reason       text                                                    -- why, in the words of who did; none: they said none
);
CREATE INDEX reports_open ON reports (id) WHERE closed_at IS NULL;

-- Yes and no to texts, with the words they were said in. Kept five years.
CREATE TABLE consent (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    address_id   bigint NOT NULL REFERENCES addresses ON DELETE CASCADE, -- whose
    kind         text NOT NULL CHECK (kind IN ('opt_in', 'opt_out')),    -- which
    wording      text NOT NULL,                                          -- exactly what was said
    our_address  text,                                                   -- to which of our numbers
    carrier_id   text,                                                   -- MessageSid
    source       text NOT NULL,                                          -- text, import, carrier, …
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when
    audit_id     bigint                                                  -- opt-outs: the row of the audit that the same process wrote; none: the trigger writes one
);
CREATE INDEX consent_by_address ON consent (address_id, id);

-- The figures by which queries are planned, after many people came at once. Only the owner of a table may ask for them.
CREATE FUNCTION analyze_people() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE accounts, addresses, follows, consent;
END $$;

-- Texts that may ask us to stop in words of their own: read as usual, and decided by a person.
CREATE TABLE refusals (
    inbound_id  bigint PRIMARY KEY REFERENCES inbound ON DELETE CASCADE, -- the text
    address_id  bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- whose
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was read
    closed_at   timestamptz                                              -- when an operator was done with it
);
CREATE INDEX refusals_open ON refusals (inbound_id) WHERE closed_at IS NULL;

-- What operators and the law want to know later. Only added to, which the database sees to: every row is chained to the
-- one before it, and sealed by the process that wrote it. Persons stand here by id alone, so that erasing one needs no change here.
CREATE TABLE audit (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    actor       text NOT NULL,                                           -- account:ID, or the command line's user, or what said so
    action      text NOT NULL,                                           -- people.deactivate, held.approve, …
    subject_id  bigint,                                                  -- the row it was done to
    detail      jsonb NOT NULL DEFAULT '{}',                             -- no names, no numbers, no bodies
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    number      bigint,                                                  -- its place in the chain, from 1
    prev        bytea,                                                   -- the hash of the row before it
    hash        bytea,                                                   -- SHA-256 of prev and this row
    key         text,                                                    -- the seal: of which secret key, by its fingerprint; none: a version wrote it that had no seals
    mac         bytea                                                    -- the seal: HMAC-SHA256 of the hash under a key made of CRITTER_SECRET_KEY
);
-- Handles become ids: what cannot be taken back must not name anybody.
CREATE FUNCTION audit_nameless(entry audit) RETURNS audit LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF entry.actor LIKE '@%' THEN
        entry.actor := 'account:' || coalesce((SELECT id FROM accounts WHERE handle = substr(entry.actor, 2)), 0);
    END IF;
    SELECT coalesce(jsonb_object_agg(key, CASE
            WHEN key IN ('handle', 'inviter', 'by', 'whom') THEN coalesce(
                (SELECT to_jsonb('account:' || id) FROM accounts WHERE handle = ltrim(value #>> '{}', '@')), value)
            WHEN key IN ('added', 'removed') AND jsonb_typeof(value) = 'array'
                THEN to_jsonb(jsonb_array_length(value))
            ELSE value END), '{}') INTO entry.detail
    FROM jsonb_each(entry.detail);
    RETURN entry;
END $$;
-- What a row of the audit is, with the row before it.
CREATE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(coalesce(entry.prev, '') || convert_to(jsonb_build_array(entry.number, entry.id, entry.actor, entry.action,
        entry.subject_id, entry.detail, extract(epoch FROM entry.created_at))::text, 'UTF8'))
$$;
-- Each row carries the hash of the one before it; one is written at a time, until its transaction ends.
CREATE FUNCTION audit_place(entry audit) RETURNS audit LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    last  audit;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit'));
    SELECT * INTO last FROM audit WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1;
    entry := audit_nameless(entry);
    entry.number := coalesce(last.number, 0) + 1;
    entry.prev := last.hash;
    entry.hash := audit_hash(entry);
    RETURN entry;
END $$;
-- The row that the caller is about to write, so that it can seal it; nobody else writes one before its transaction ends.
CREATE FUNCTION audit_next(actor text, action text, subject_id bigint, detail jsonb) RETURNS audit LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    entry  audit;
BEGIN
    entry.id := new_id();
    entry.actor := actor;
    entry.action := action;
    entry.subject_id := subject_id;
    entry.detail := detail;
    entry.created_at := now();
    RETURN audit_place(entry);
END $$;
CREATE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN audit_place(NEW);
END $$;
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
-- Every opt-out is audited, whichever way it came.
CREATE FUNCTION audit_opt_out() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit (actor, action, subject_id, detail)
    VALUES (NEW.source, 'address.opt_out', NEW.address_id, jsonb_build_object('consent', NEW.id::text));
    RETURN NULL;
END $$;
CREATE UNIQUE INDEX audit_in_order ON audit (number);
CREATE TRIGGER audit_link BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_link();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TRIGGER consent_is_audited AFTER INSERT ON consent FOR EACH ROW
    WHEN (NEW.kind = 'opt_out' AND NEW.audit_id IS NULL) EXECUTE FUNCTION audit_opt_out();

-- What texts took from each budget: parts, but millionths of a dollar for the company's month. Behind one lock.
CREATE TABLE budgets (
    day           date NOT NULL,                                         -- UTC; the first of the month for a month; a reader's by their clock
    scope         text NOT NULL CHECK (scope IN ('company_day', 'company_month', 'country', 'group', 'person', 'reader')),  -- whose budget; reader: the texts that somebody wants on a day, of whom a limit is set
    subject       text NOT NULL DEFAULT '',                              -- country: ISO code; group, person, reader: account id
    used          bigint NOT NULL DEFAULT 0,                             -- what was taken and not given back
    allowed       bigint NOT NULL DEFAULT 0,                             -- the limit when something was last taken
    exhausted_at  timestamptz,                                           -- since when something did not fit; said once
    PRIMARY KEY (day, scope, subject)
);

-- What one try of a text costs. Taken back when it surely did not leave; corrected by the carrier's own price.
CREATE TABLE charges (
    attempt_id  bigint PRIMARY KEY,                                      -- the try
    charged_at  timestamptz NOT NULL DEFAULT now(),                      -- when: its UTC day says from which budgets
    author_id   bigint NOT NULL DEFAULT 0,                               -- whose words; 0 for Critter's own
    group_id    bigint NOT NULL DEFAULT 0,                               -- the group they were posted to; 0 for none
    country     text NOT NULL,                                           -- ISO code of the phone's
    parts       smallint NOT NULL,                                       -- of the text
    micros      bigint NOT NULL,                                         -- millionths of a dollar, by the price table
    billed      bigint,                                                  -- the same, as the carrier says it was
    reader_id   bigint,                                                  -- whose texts of a day it is one of; none: of somebody without a limit
    reader_day  date                                                     -- that day, by their clock
);
CREATE INDEX charges_unbilled ON charges (charged_at) WHERE billed IS NULL;

-- Parts that were taken in each hour of the last days: what is usual, for the breaker.
CREATE TABLE hours (
    hour   timestamptz PRIMARY KEY,                                      -- its beginning
    parts  bigint NOT NULL                                               -- taken in it, also what was given back
);

-- Stops updates when far more than usual is sent; one row once it has tripped.
CREATE TABLE breaker (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),      -- there is one row
    tripped_at   timestamptz,                                            -- since when updates wait; none: they go
    parts        bigint NOT NULL DEFAULT 0,                              -- of the hour in which it tripped
    usual        bigint NOT NULL DEFAULT 0,                              -- the median of the hours before
    quiet_until  timestamptz                                             -- an operator resumed: it does not trip before
);

-- Phones that a message did not reach because a budget was used up; its author is told once.
CREATE TABLE shortfalls (
    message_id  bigint PRIMARY KEY REFERENCES messages ON DELETE CASCADE,  -- what did not go out
    author_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- who is told
    scope       text NOT NULL,                                           -- the budget that first said no
    phones      bigint NOT NULL,                                         -- how many did not get it
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- since when
    missed_at   timestamptz NOT NULL DEFAULT now(),                      -- when the last of them was missed
    told_at     timestamptz                                              -- when the author was told, or need not be
);
CREATE INDEX shortfalls_untold ON shortfalls (author_id) WHERE told_at IS NULL;

-- The carrier's prices of one day's texts, read from its list page by page.
CREATE TABLE price_sweeps (
    day         date PRIMARY KEY,                                        -- UTC
    next_page   text,                                                    -- where the list goes on; none: at its beginning
    pages       bigint NOT NULL DEFAULT 0,                               -- that were read so far
    rounds      smallint NOT NULL DEFAULT 0,                             -- how often the list was read to its end
    not_before  timestamptz NOT NULL DEFAULT now()                       -- when it is read on, or once more
);

-- What the processes counted, for /metrics: each adds what it counted in the last seconds. Never numbers or bodies.
CREATE TABLE tallies (
    name    text NOT NULL,                                               -- what was counted: accepted, sent, …
    labels  text NOT NULL DEFAULT '',                                    -- of which kind, with commas between: sms,failed
    total   double precision NOT NULL,                                   -- how many, or for sums how much; never less
    PRIMARY KEY (name, labels)
);

-- Tasks of the clock that failed the last time.
CREATE TABLE task_failures (
    task        text PRIMARY KEY,                                        -- its name, as in the metrics
    failures    integer NOT NULL,                                        -- in a row
    reason      text NOT NULL,                                           -- the name of the last error
    since       timestamptz NOT NULL DEFAULT now(),                      -- when it failed first
    failed_at   timestamptz NOT NULL DEFAULT now()                       -- when it failed last
);

-- The processes that run, as each says every few seconds.
CREATE TABLE processes (
    owner       text PRIMARY KEY,                                        -- one process: its name, host and pid, and chance
    name        text NOT NULL,                                           -- web, mail, worker-sms, clock, …
    started_at  timestamptz NOT NULL DEFAULT now(),                      -- when it was first heard of
    seen_at     timestamptz NOT NULL DEFAULT now(),                      -- when it last was
    closed_until timestamptz                                             -- it confirms that it takes nothing in before then, and that all it had taken in is stored
);

-- How many mails left on each day, counted only for a relay that takes so many a day.
CREATE TABLE relay_days (
    day         date PRIMARY KEY,                                        -- UTC
    mails       bigint NOT NULL DEFAULT 0                                -- that left, or were about to when a worker was lost
);

-- What holds now. Whoever asks who hears whom reads these views, so that the conditions are written once; the tables
-- themselves are for whoever writes them, and for what is asked of the past.
-- Follows and memberships that are granted and have not ended.
CREATE VIEW follows_in_force AS
SELECT follower_id, account_id, role, state, by_text, off, off_until, expires_at, created_at,
       off AND coalesce(off_until > now(), true) AS off_now,              -- nothing of it is sent at the moment
       way
FROM follows
WHERE state = 'active' AND (expires_at IS NULL OR expires_at > now());

-- Follows of a #tag that have not ended.
CREATE VIEW topic_follows_in_force AS
SELECT follower_id, topic_id, by_text, expires_at, created_at, way
FROM topic_follows
WHERE expires_at IS NULL OR expires_at > now();

-- Who tracks what, as far as it has not ended.
CREATE VIEW trackers_in_force AS
SELECT track_id, follower_id, by_text, expires_at, created_at, way
FROM trackers
WHERE expires_at IS NULL OR expires_at > now();

-- All that somebody follows or tracks. `cause`: what brings its items, by number (gateway/attention/causes.py).
CREATE VIEW subscriptions_in_force AS
SELECT f.follower_id, f.account_id AS source_id,
       CAST(CASE WHEN a.kind = 'person' THEN 6 WHEN a.access = 'broadcast' THEN 8 ELSE 5 END AS smallint) AS cause,
       f.by_text, CASE WHEN f.off_now THEN 'nothing' ELSE f.way END AS way  -- nothing: it is off at the moment
FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
UNION ALL
SELECT follower_id, topic_id, CAST(7 AS smallint), by_text, way FROM topic_follows_in_force
UNION ALL
SELECT follower_id, track_id, CAST(4 AS smallint), by_text, way FROM trackers_in_force;

-- What a message needs whose reader chose ways (accounts.chooses): `text`, a phone; `push`, their devices, which are
-- there; `mail`, a mailbox; `mailed`, a mailbox instead of a phone, where one receives; `either`, any address, for it waits for a digest or is on the web alone; `had`: they got it
-- by another of several sources. What is wanted in a digest, on the web, or not at all, is put where it would have come
-- without that: it may come one by one after all, and its author hears how, or why it does not come. gateway/attention/ways.py has the rule.
CREATE FUNCTION chosen_way(message bigint, post bigint, reader bigint, sources bigint[], named boolean) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    w        attention;
    loudest  integer;  -- 1 text, 2 push, 3 mail, 4 digest, 5 web, 6 nothing
    phone    boolean;
    pushed   boolean;  -- they have a device for it
BEGIN
    SELECT * INTO w FROM attention WHERE account_id = reader;
    SELECT min(array_position(ARRAY['text', 'push', 'mail', 'digest', 'web', 'nothing'], way)), bool_or(by_text) INTO loudest, phone FROM (
        SELECT c.by_text, coalesce(c.way, (ARRAY[w.private, w.mention, w.reply, w.tracked, w."group", w.person, w.tag, w.broadcast])[c.cause],
                                   CASE WHEN c.by_text THEN 'text' ELSE 'mail' END) AS way
        FROM (
            SELECT s.cause, s.way, s.by_text FROM subscriptions_in_force s
            WHERE s.follower_id = reader AND s.source_id = ANY (sources)
            UNION ALL
            SELECT CASE WHEN p.visibility = 'direct' THEN 1
                        WHEN EXISTS (SELECT FROM posts mine WHERE mine.id = p.in_reply_to AND mine.author_id = reader) THEN 3
                        ELSE 2 END, NULL, true
            FROM posts p WHERE p.id = post AND named
        ) AS c
    ) AS causes;
    IF cardinality(sources) > 1 AND EXISTS (
        SELECT FROM deliveries d JOIN addresses a ON a.id = d.address_id WHERE d.message_id = message AND a.account_id = reader
    ) THEN
        RETURN 'had';
    END IF;
    pushed := (loudest = 2 OR w.prefer = 'push') AND EXISTS (
        SELECT FROM addresses WHERE account_id = reader AND channel = 'push' AND is_primary AND state = 'verified');
    IF loudest = 1 OR loudest > 3 AND phone THEN
        RETURN CASE WHEN w.prefer = 'mail' THEN 'mailed' WHEN w.prefer = 'push' AND pushed THEN 'push' ELSE 'text' END;
    END IF;
    RETURN CASE WHEN loudest = 2 AND pushed THEN 'push' WHEN loudest IN (4, 5) THEN 'either' ELSE 'mail' END;
END $$;

-- Blocks, and mutes that have not ended.
CREATE VIEW silences_in_force AS
SELECT account_id, other_id, kind, expires_at, created_at
FROM silences
WHERE expires_at IS NULL OR expires_at > now();

-- The zone of everybody's clock: the one where they are for now, else their own. Where joining the view would join
-- accounts twice, the function is asked.
CREATE FUNCTION zone_in_force(home text, away text, until timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN away IS NOT NULL AND coalesce(until > now(), true) THEN away ELSE home END;
CREATE VIEW zones_now AS
SELECT a.id AS account_id, zone_in_force(a.timezone, w.zone, w.zone_until) AS zone,
       CASE WHEN w.zone_until > now() THEN w.zone_until END AS until,    -- till then; afterwards they are home
       a.timezone AS home
FROM accounts a LEFT JOIN attention w ON w.account_id = a.id AND w.zone IS NOT NULL;

-- Who is on the web at the moment. Whatever is far from now was written before a clock was changed.
CREATE VIEW presence_now AS
SELECT account_id, active_at
FROM presence
WHERE active_at BETWEEN now() - interval '60 seconds' AND now() + interval '60 seconds';

-- The devices that get pushes now: a browser only as long as its owner is signed in there.
CREATE VIEW push_subscriptions_in_force AS
SELECT p.id, p.account_id, p.session_id, p.endpoint, p.p256dh, p.auth, p.encoding, p.device, p.created_at, p.used_at
FROM push_subscriptions p LEFT JOIN web_sessions w ON w.id = p.session_id
WHERE p.session_id IS NULL OR w.ended_at IS NULL AND w.expires_at > now();

-- Every address, and whether updates go there. Its state says whether anything may.
CREATE VIEW addresses_now AS
SELECT id, account_id, channel, address, state, is_primary, receiving, off_until, stopped_at, seen_at, introduced_at,
       sender_id, created_at, bouncing_since,
       NOT receiving AND coalesce(off_until > now(), true) AS off_now,   -- its owner turned everything off, and it is still
       (receiving OR coalesce(off_until <= now(), false)) AND bouncing_since IS NULL AS receives,  -- it is on, and its mails do not come back
       quiet, quiet_since,
       channel = 'sms' AND (SELECT EXISTS (SELECT FROM attention WHERE texts_a_day IS NOT NULL)) AND (
           SELECT w.texts_a_day FROM attention w WHERE w.account_id = addresses.account_id) IS NOT NULL AS limited,  -- its owner wants only so many texts a day
       channel = 'sms' AND (EXISTS (SELECT FROM presence_now here WHERE here.account_id = addresses.account_id) OR EXISTS (
           SELECT FROM held h WHERE h.address_id = addresses.id AND h.state = 'waiting' AND h.reason = 'online' AND h.until > now()
       )) AS online                                                       -- its owner is on the web, or something waits there for them to see it
FROM addresses;
