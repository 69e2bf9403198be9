-- Tasks of the clock that failed the last time.
CREATE TABLE task_failures (
    task        text PRIMARY KEY,                                        -- its name, as in the metrics
    failures    integer NOT NULL,                                        -- in a row
    reason      text NOT NULL,                                           -- the name of the last error
    since       timestamptz NOT NULL DEFAULT now(),                      -- when it failed first
    failed_at   timestamptz NOT NULL DEFAULT now()                       -- when it failed last
);
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
-- A month that is far from now would be made for nothing.
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql
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
