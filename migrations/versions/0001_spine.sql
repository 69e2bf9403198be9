-- The first schema, as it was then; schema.sql goes on.
-- Critter's database, whole. PostgreSQL 15 or newer. Times are UTC from this database's clock.
-- The migrations lead here and gateway/store/tables.py mirrors it; two tests hold the three together.

-- Ids are time-sortable everywhere: milliseconds since 1970 shifted left 16 bits, or'ed with a sequence's low 16 bits.
CREATE SEQUENCE id_sequence;
CREATE FUNCTION new_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint << 16) | (nextval('id_sequence') & 65535)
$$;
-- The smallest id that a row made at this time can have: the bounds of partitions and of searches by time.
CREATE FUNCTION id_at(moment timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT floor(extract(epoch FROM moment) * 1000)::bigint << 16
$$;

-- What this database is: one row, made with it.
CREATE TABLE installation (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),       -- there is one row
    mode        text NOT NULL CHECK (mode IN ('simulated', 'live')),     -- who made it; the other mode is refused
    hash_key    bytea NOT NULL DEFAULT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),  -- keys inbound.natural_key, so that it tells nothing about a number or a mail
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when the database was made
);

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
    created_at      timestamptz NOT NULL DEFAULT now(),                  -- when it joined or was made
    deactivated_at  timestamptz,                                         -- when everything was cut
    CHECK ((kind = 'group') = (access IS NOT NULL))
);
CREATE INDEX accounts_by_name ON accounts (lower(name));

-- A phone or a mailbox. One without an account is a stranger's whose opt-out we keep.
CREATE TABLE addresses (
    id            bigint PRIMARY KEY DEFAULT new_id(),                   -- time-sortable
    account_id    bigint REFERENCES accounts ON DELETE CASCADE,          -- whose it is
    channel       text NOT NULL CHECK (channel IN ('sms', 'email')),     -- how it is reached
    address       text NOT NULL,                                         -- E.164, or a mailbox in lower case
    state         text NOT NULL DEFAULT 'verified' CHECK (state IN ('invited', 'verified', 'stopped', 'suspended')),  -- invited: nothing goes out before it writes; stopped: opted out
    is_primary    boolean NOT NULL DEFAULT false,                        -- the one that items go to
    receiving     boolean NOT NULL DEFAULT true,                         -- false after `off`
    off_until     timestamptz,                                           -- end of an `off` with an end
    stopped_at    timestamptz,                                           -- when its owner opted out
    seen_at       timestamptz,                                           -- when it last wrote to us
    created_at    timestamptz NOT NULL DEFAULT now(),                    -- when we learnt of it
    UNIQUE (channel, address)
);
CREATE UNIQUE INDEX addresses_primary ON addresses (account_id, channel) WHERE is_primary;
CREATE INDEX addresses_by_account ON addresses (account_id);

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
    PRIMARY KEY (follower_id, account_id),
    CHECK (follower_id <> account_id)
);
CREATE INDEX follows_by_account ON follows (account_id, follower_id);

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
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'working', 'done', 'held', 'dropped', 'quarantined')),  -- dropped: a machine's, or an operator's word; quarantined: crashed three workers
    attempt       smallint NOT NULL DEFAULT 0,                           -- how often a worker took it; fences late ones
    lease_until   timestamptz,                                           -- until when the worker may have it
    lease_owner   text,                                                  -- which worker
    account_id    bigint REFERENCES accounts ON DELETE SET NULL,         -- who wrote it
    intent        text,                                                  -- what it was read as
    reason        text,                                                  -- why, in words for people
    received_at   timestamptz NOT NULL DEFAULT now(),                    -- when the door committed it
    done_at       timestamptz,                                           -- when its effects committed
    UNIQUE (channel, natural_key)
);
CREATE INDEX inbound_open ON inbound (id) WHERE state IN ('new', 'working');
CREATE INDEX inbound_open_by_sender ON inbound (channel, sender, id) WHERE state IN ('new', 'working');
CREATE INDEX inbound_by_message_id ON inbound (message_id);
CREATE INDEX inbound_held ON inbound (id) WHERE state IN ('held', 'quarantined');

-- Pictures and files that came with an inbound. The carrier keeps them until a worker has fetched them.
CREATE TABLE media (
    inbound_id    bigint NOT NULL REFERENCES inbound ON DELETE CASCADE,  -- what it came with
    number        smallint NOT NULL,                                     -- its place there, from 0
    url           text NOT NULL,                                         -- where the carrier keeps it
    content_type  text,                                                  -- as the carrier says; once fetched, as its first bytes say
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'fetched', 'failed')),  -- failed: refused, or tried often enough
    attempt       smallint NOT NULL DEFAULT 0,                           -- how often it was tried
    not_before    timestamptz NOT NULL DEFAULT now(),                    -- when it may be tried
    sha256        bytea,                                                 -- of the content; names its file in the media folder
    size          bigint,                                                -- octets
    reason        text,                                                  -- why it failed, or is not there yet
    PRIMARY KEY (inbound_id, number)
);
CREATE INDEX media_open ON media (not_before) WHERE state = 'new';

-- What one inbound did: committed together with it, so that doing it twice is impossible. `undo` reads it.
CREATE TABLE effects (
    inbound_id  bigint NOT NULL REFERENCES inbound ON DELETE CASCADE,    -- the cause
    number      smallint NOT NULL,                                       -- its place there, from 0
    kind        text NOT NULL,                                           -- post, follow, unfollow, answer, …
    subject_id  bigint,                                                  -- the row it made or changed
    detail      jsonb NOT NULL DEFAULT '{}',                             -- what `undo` needs
    undone_at   timestamptz,                                             -- when it was taken back
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when it happened
    PRIMARY KEY (inbound_id, number)
);

-- An update.
CREATE TABLE posts (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    author_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who wrote it
    group_id     bigint REFERENCES accounts ON DELETE CASCADE,           -- the group it was posted to
    in_reply_to  bigint REFERENCES posts ON DELETE SET NULL,             -- the post it answers
    visibility   text NOT NULL CHECK (visibility IN ('company', 'group', 'direct')),  -- who may read it; the rule is in network/audience/visibility
    text         text NOT NULL,                                          -- what was written
    lang         text,                                                   -- BCP 47, when the writer said so
    via          text NOT NULL,                                          -- sms, email, cli, …
    inbound_id   bigint REFERENCES inbound ON DELETE SET NULL,           -- what it came from
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when
    deleted_at   timestamptz                                             -- when it was taken back
);
CREATE INDEX posts_by_author ON posts (author_id, id DESC);
CREATE INDEX posts_by_group ON posts (group_id, id DESC);
CREATE INDEX posts_by_parent ON posts (in_reply_to);

-- Who a direct post is for: people, as they were at that moment.
CREATE TABLE post_recipients (
    post_id     bigint NOT NULL REFERENCES posts ON DELETE CASCADE,      -- the direct post
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- a person who may read it
    named_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- what the writer named: that person, or their group
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX post_recipients_by_account ON post_recipients (account_id, post_id DESC);

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

-- What must go out, rendered once for all who get it.
CREATE TABLE messages (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    kind         text NOT NULL CHECK (kind IN ('update', 'answer', 'notice', 'code')),  -- update: a post's copy; answer: to one inbound; notice: nobody asked
    author_id    bigint REFERENCES accounts ON DELETE CASCADE,           -- whose words; none for Critter's own
    post_id      bigint REFERENCES posts ON DELETE CASCADE,              -- the post it carries
    inbound_id   bigint REFERENCES inbound ON DELETE CASCADE,            -- what it answers
    priority     smallint NOT NULL DEFAULT 5,                            -- 0 codes, 1 private, 2 answers and notices, 5 updates, 9 digests
    must_arrive  boolean NOT NULL DEFAULT false,                         -- an unresolved unknown is sent once more
    text         text NOT NULL,                                          -- the text message, without what differs by recipient
    subject      text NOT NULL,                                          -- of the mail
    body         text NOT NULL,                                          -- of the mail
    created_at   timestamptz NOT NULL DEFAULT now()                      -- when it was rendered
);
CREATE UNIQUE INDEX messages_one_answer ON messages (inbound_id) WHERE kind = 'answer';
CREATE INDEX messages_by_post ON messages (post_id);

-- One message to one address. Partitioned by month, so that old months are dropped, not deleted.
-- An open row has no ended_at; (author_id, address_id) is its lane: one row of a lane is on the road at a time.
CREATE TABLE deliveries (
    message_id          bigint NOT NULL REFERENCES messages ON DELETE CASCADE,   -- what
    address_id          bigint NOT NULL REFERENCES addresses ON DELETE CASCADE,  -- where to
    author_id           bigint NOT NULL DEFAULT 0,                       -- whose words; 0 for Critter's own; half of the lane
    source_id           bigint,                                          -- the follow that brings it: that account; none when addressed or answered
    channel             text NOT NULL CHECK (channel IN ('sms', 'email')),  -- which worker sends it
    priority            smallint NOT NULL,                               -- of the message
    state               text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'unknown', 'retry', 'failed', 'cancelled')),  -- see docs
    attempt             smallint NOT NULL DEFAULT 0,                     -- how often it was tried; fences late workers
    not_before          timestamptz NOT NULL DEFAULT now(),              -- when it may be tried; unknown: when it is looked for next
    give_up_at          timestamptz NOT NULL,                            -- when trying ends
    lease_until         timestamptz,                                     -- until when the worker may have it
    lease_owner         text,                                            -- which worker
    reason              text,                                            -- why it is in this state: a code or a word
    segments            smallint,                                        -- text parts that were paid for
    tag                 text,                                            -- letter and digit that the text ended with
    possible_duplicate  boolean NOT NULL DEFAULT false,                  -- sent again after an unknown
    created_at          timestamptz NOT NULL DEFAULT now(),              -- when it was put here
    sent_at             timestamptz,                                     -- when the carrier took it
    ended_at            timestamptz,                                     -- when nothing more will be tried
    PRIMARY KEY (message_id, address_id)
) PARTITION BY RANGE (message_id);
CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT;
CREATE INDEX deliveries_due ON deliveries (channel, priority, message_id) WHERE ended_at IS NULL AND state IN ('queued', 'retry');
CREATE INDEX deliveries_lanes ON deliveries (address_id, author_id, message_id) WHERE ended_at IS NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX deliveries_unknown ON deliveries (not_before) WHERE state = 'unknown' AND ended_at IS NULL;
CREATE INDEX deliveries_by_address ON deliveries (address_id, message_id DESC);
-- Makes the partition of the month of `moment`; harmless when it is there.
CREATE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month  timestamptz := date_trunc('month', moment, 'UTC');
    name   text := 'deliveries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF deliveries FOR VALUES FROM (%s) TO (%s)',
                       name, id_at(month), id_at(month + interval '1 month'));
    END IF;
END $$;

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
    UNIQUE (message_id, address_id, number)
);
CREATE INDEX attempts_by_carrier_id ON attempts (carrier_id) WHERE carrier_id IS NOT NULL;

-- Status callbacks as they came.
CREATE TABLE callbacks (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    attempt_id   bigint NOT NULL,                                        -- from the token; may not be settled yet
    carrier_id   text NOT NULL,                                          -- MessageSid
    status       text NOT NULL,                                          -- MessageStatus
    reason       text,                                                   -- ErrorCode
    received_at  timestamptz NOT NULL DEFAULT now(),                     -- when
    applied_at   timestamptz                                             -- when the attempt took note
);
CREATE INDEX callbacks_open ON callbacks (id) WHERE applied_at IS NULL;
CREATE INDEX callbacks_by_attempt ON callbacks (attempt_id);

-- A post on its way to its audience. Expanded in chunks; a crash resumes at the cursor.
CREATE TABLE fanouts (
    message_id   bigint NOT NULL REFERENCES messages ON DELETE CASCADE,  -- what is spread
    source_id    bigint NOT NULL,                                        -- whose followers: a group's or a person's; 0: only those it names
    post_id      bigint NOT NULL REFERENCES posts ON DELETE CASCADE,     -- whose audience
    author_id    bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- one author's fan-outs run in order
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'cancelled')),  -- cancelled by `undo`
    not_before   timestamptz NOT NULL DEFAULT now(),                     -- end of the hold
    reached      bigint NOT NULL DEFAULT 0,                              -- the cursor: the highest account id that was expanded
    texts        bigint  NOT NULL DEFAULT 0,                             -- deliveries made, by text
    mails        bigint  NOT NULL DEFAULT 0,                             -- deliveries made, by mail
    attempt      smallint NOT NULL DEFAULT 0,                            -- failed tries since the last chunk; each waits longer
    created_at   timestamptz NOT NULL DEFAULT now(),                     -- when it was put here
    done_at      timestamptz,                                            -- when the last chunk committed
    PRIMARY KEY (message_id, source_id)
);
CREATE INDEX fanouts_open ON fanouts (author_id, message_id, source_id) WHERE state = 'waiting';
CREATE INDEX fanouts_by_post ON fanouts (post_id);

-- Where the talk with one phone or mailbox stands.
CREATE TABLE conversations (
    address_id    bigint PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,  -- with whom
    question      jsonb,                                                 -- kind, choices, what they act on
    expires_at    timestamptz,                                           -- until when an answer counts
    more          text,                                                  -- what `more` gives next
    more_at       timestamptz,                                           -- since when; an item that came later goes first
    thread_id     bigint REFERENCES posts ON DELETE SET NULL,            -- the private post that bare texts answer
    thread_until  timestamptz                                            -- until when
);

-- Words kept from being sent until their writer decides.
CREATE TABLE drafts (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,   -- whose
    text        text NOT NULL,                                           -- the words
    created_at  timestamptz NOT NULL DEFAULT now(),                      -- when
    expires_at  timestamptz NOT NULL                                     -- when they are forgotten
);

-- Yes and no to texts, with the words they were said in. Kept five years.
CREATE TABLE consent (
    id           bigint PRIMARY KEY DEFAULT new_id(),                    -- time-sortable
    address_id   bigint NOT NULL REFERENCES addresses ON DELETE CASCADE, -- whose
    kind         text NOT NULL CHECK (kind IN ('opt_in', 'opt_out')),    -- which
    wording      text NOT NULL,                                          -- exactly what was said
    our_address  text,                                                   -- to which of our numbers
    carrier_id   text,                                                   -- MessageSid
    source       text NOT NULL,                                          -- text, import, carrier, …
    created_at   timestamptz NOT NULL DEFAULT now()                      -- when
);
CREATE INDEX consent_by_address ON consent (address_id, id);

-- What operators and the law want to know later. Only added to.
CREATE TABLE audit (
    id          bigint PRIMARY KEY DEFAULT new_id(),                     -- time-sortable
    actor       text NOT NULL,                                           -- @handle, or the command line's user
    action      text NOT NULL,                                           -- people.deactivate, held.approve, …
    subject_id  bigint,                                                  -- the row it was done to
    detail      jsonb NOT NULL DEFAULT '{}',                             -- no numbers, no bodies
    created_at  timestamptz NOT NULL DEFAULT now()                       -- when
);
