-- The tables belong to another role than the one that the processes use, and the audit is sealed with a key that the
-- database does not have. critter migrate gives the processes' role its rights (migrations/rights).

-- What only an owner may do, for the processes: partitions, and the trigger that holds inputs after a restore.
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month  timestamptz := date_trunc('month', moment, 'UTC');
    name   text := 'deliveries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF deliveries FOR VALUES FROM (%s) TO (%s)'
                       ' WITH (fillfactor = 50)',
                       name, id_at(month), id_at(month + interval '1 month'));
    END IF;
END $$;
CREATE FUNCTION drop_partition(month text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    open  boolean;
BEGIN
    IF month !~ '^deliveries_\d{4}_\d\d$' OR NOT EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'deliveries'::regclass AND inhrelid = to_regclass(month)
    ) THEN
        RAISE EXCEPTION '% is no month of deliveries', month USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', month);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE ended_at IS NULL)', month) INTO open;
    IF NOT open THEN
        EXECUTE format('DROP TABLE %I', month);
    END IF;
    RETURN NOT open;
END $$;
CREATE FUNCTION wake_hold_restored(awake boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF awake THEN
        ALTER TABLE inbound ENABLE TRIGGER hold_restored;
    ELSE
        ALTER TABLE inbound DISABLE TRIGGER hold_restored;
    END IF;
END $$;

-- The seal of each row. Processes of the version before go on writing rows without one.
ALTER TABLE audit ADD COLUMN key text;
ALTER TABLE audit ADD COLUMN mac bytea;
CREATE OR REPLACE FUNCTION audit_nameless(entry audit) RETURNS audit LANGUAGE plpgsql
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
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN audit_place(NEW);
END $$;
CREATE OR REPLACE FUNCTION audit_opt_out() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit (actor, action, subject_id, detail)
    VALUES (NEW.source, 'address.opt_out', NEW.address_id, jsonb_build_object('consent', NEW.id::text));
    RETURN NULL;
END $$;

-- The processes record an opt-out themselves, with a seal; for those of the version before the trigger still does.
ALTER TABLE consent ADD COLUMN audit_id bigint;
BEGIN;
DROP TRIGGER consent_is_audited ON consent;
CREATE TRIGGER consent_is_audited AFTER INSERT ON consent FOR EACH ROW
    WHEN (NEW.kind = 'opt_out' AND NEW.audit_id IS NULL) EXECUTE FUNCTION audit_opt_out();
COMMIT;
