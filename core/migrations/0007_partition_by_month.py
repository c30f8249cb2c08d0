"""Tables divided by month: which they are, and the functions that make their months."""

from django.db import migrations

TABLE = """
-- The tables whose months the application may have made. Their owner fills it, by `core_keep_monthly`.
CREATE TABLE core_partitioned (table_name name PRIMARY KEY);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'campushub360') AND current_user <> 'campushub360' THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON core_partitioned FROM campushub360;
    END IF;
END
$$;
"""
FUNCTIONS = """
CREATE FUNCTION core_month_name(parent regclass, month date) RETURNS name LANGUAGE sql STABLE
AS $$ SELECT (relname || to_char(month, '_YYYYMM'))::name FROM pg_class WHERE oid = parent $$;

-- Makes the table of a month, which stands alone until it is attached. It refuses TRUNCATE where the whole does.
CREATE FUNCTION core_open_month(parent regclass, month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name name := core_month_name(parent, month);
    guard record;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED '
        'INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING STATISTICS)', name, parent);
    FOR guard IN
        SELECT tgname, tgfoid::regproc AS function FROM pg_trigger
        WHERE tgrelid = parent AND NOT tgisinternal AND tgtype & 32 <> 0
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION %s()',
            guard.tgname, name, guard.function);
    END LOOP;
END
$$;

-- Makes the table of a month part of the whole, with the rows of that month which the default partition has; says how
-- many those were. They wait for nobody but those who use the default partition: whoever writes elsewhere goes on.
CREATE FUNCTION core_attach_month(parent regclass, month date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part regclass := format('public.%I', core_month_name(parent, month))::regclass;
    rest regclass;
    key text;
    midnight text;
    bounds text[];
    columns text;
    guards name[];
    guard name;
    moved bigint := 0;
BEGIN
    SELECT partdefid, quote_ident(attname), CASE atttypid WHEN 'date'::regtype THEN '' ELSE ' 00:00:00+00' END
    INTO STRICT rest, key, midnight
    FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
    WHERE partrelid = parent;
    bounds := ARRAY[month || midnight, (month + interval '1 month')::date || midnight];
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', rest);
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    -- To be moved is not to be deleted: what forbids the one, or writes it down, has nothing to say of the other.
    SELECT coalesce(array_agg(tgname), '{}') INTO guards FROM pg_trigger
    WHERE tgrelid = rest AND tgconstraint = 0 AND tgenabled = 'O' AND tgtype & 8 <> 0;
    FOREACH guard IN ARRAY guards LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', rest, guard);
    END LOOP;
    EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %s >= %L AND %s < %L RETURNING *) '
        'INSERT INTO %s (%s) SELECT %s FROM moved', rest, key, bounds[1], key, bounds[2], part, columns, columns);
    GET DIAGNOSTICS moved = ROW_COUNT;
    FOREACH guard IN ARRAY guards LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', rest, guard);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, part, bounds[1], bounds[2]);
    RETURN moved;
END
$$;

-- Makes the months of a table from the present one up to that of a day, and those since another day of which the
-- default partition has rows; says how many. With the rights of its owner, because the application may not make
-- tables; it makes no others than these.
CREATE FUNCTION core_make_months(kept name, since date, until date) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    parent regclass := format('public.%I', kept)::regclass;
    present date := date_trunc('month', now() AT TIME ZONE 'UTC');
    earliest date := date_trunc('month', greatest(since, (now() - interval '10 years')::date));
    rest regclass;
    key text;
    month date;
    months date[];
    made integer := 0;
BEGIN
    IF until > current_date + 366 THEN
        RAISE EXCEPTION 'months are made a year ahead at most' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT FROM core_partitioned WHERE table_name = kept) THEN
        RAISE EXCEPTION '% is not kept by month', kept USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('core.partitions:' || kept, 0));
    SELECT partdefid, CASE atttypid WHEN 'date'::regtype THEN quote_ident(attname)
        ELSE format('(%I AT TIME ZONE ''UTC'')', attname) END
    INTO STRICT rest, key
    FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
    WHERE partrelid = parent;
    EXECUTE format('SELECT array_agg(month ORDER BY month) FROM ('
        'SELECT generate_series($1, $2, interval ''1 month'')::date UNION '
        'SELECT DISTINCT date_trunc(''month'', %s)::date FROM %s WHERE %s >= $3 AND %s < $2 + interval ''1 month'''
        ') AS wanted (month)', key, rest, key, key)
        INTO months USING present, date_trunc('month', until)::date, earliest;
    FOREACH month IN ARRAY months LOOP
        CONTINUE WHEN to_regclass(format('public.%I', core_month_name(parent, month))) IS NOT NULL;
        PERFORM core_open_month(parent, month);
        PERFORM core_attach_month(parent, month);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
REVOKE EXECUTE ON FUNCTION core_make_months(name, date, date) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'campushub360') THEN
        GRANT EXECUTE ON FUNCTION core_make_months(name, date, date) TO campushub360;
    END IF;
END
$$;

-- Keeps a table, which is partitioned by ranges of one column, by month from now on: with a partition for what no month
-- was made for, and a quarter of a year ahead.
CREATE FUNCTION core_keep_monthly(parent regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name name := (SELECT relname FROM pg_class WHERE oid = parent);
    guard record;
BEGIN
    IF (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = parent) = 0 THEN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF %s DEFAULT', name || '_default', parent);
        FOR guard IN
            SELECT tgname, tgfoid::regproc AS function FROM pg_trigger
            WHERE tgrelid = parent AND NOT tgisinternal AND tgtype & 32 <> 0
        LOOP
            EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION %s()',
                guard.tgname, name || '_default', guard.function);
        END LOOP;
    END IF;
    INSERT INTO core_partitioned VALUES (name) ON CONFLICT DO NOTHING;
    PERFORM core_make_months(name, current_date, (current_date + interval '3 months')::date);
END
$$;
"""
UNDO = """
DROP FUNCTION core_keep_monthly(regclass);
DROP FUNCTION core_make_months(name, date, date);
DROP FUNCTION core_attach_month(regclass, date);
DROP FUNCTION core_open_month(regclass, date);
DROP FUNCTION core_month_name(regclass, date);
DROP TABLE core_partitioned;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_mark_protected_custom_fields"),
    ]

    operations = [
        migrations.RunSQL([TABLE, FUNCTIONS], [UNDO]),
    ]
