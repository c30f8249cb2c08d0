from django.db import migrations

FUNCTION = """
-- Notes which tags a statement moved. Its arguments are pairs: a tag, and what it has to do with the columns.
--   ''        any change moves it
--   'a'       and so does the part of it that is named by the value of a column
--   'a:3'     and so does the part that is named by the last characters of the value: so many of them
--   '!a,b'    an update of nothing but these columns does not move it
-- A statement that changed many rows is not asked which values they have.
CREATE OR REPLACE FUNCTION core_touch_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most_rows constant int := 1000;
    most_values constant int := 100;
    number int;
    tag text;
    divided text;
    by_column text;
    last_characters int;
    named text[];
    has_moved boolean;
    moved text[] := '{}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT count(*) INTO number FROM (SELECT FROM removed LIMIT most_rows + 1) AS counted;
    ELSE
        SELECT count(*) INTO number FROM (SELECT FROM added LIMIT most_rows + 1) AS counted;
    END IF;
    IF number = 0 THEN
        RETURN NULL;
    END IF;
    FOR pair IN 0 .. TG_NARGS / 2 - 1 LOOP
        tag := TG_ARGV[2 * pair];
        divided := TG_ARGV[2 * pair + 1];
        IF starts_with(divided, '!') THEN
            has_moved := true;
            IF TG_OP = 'UPDATE' AND number <= most_rows THEN
                -- Rows have their keys, so as many as before, all of which were there before, are the same. By their
                -- texts, since numbers that are equal may be shown in two ways.
                SELECT EXISTS (
                    SELECT (to_jsonb(added) - string_to_array(substr(divided, 2), ','))::text FROM added
                    EXCEPT
                    SELECT (to_jsonb(removed) - string_to_array(substr(divided, 2), ','))::text FROM removed
                ) INTO has_moved;
            END IF;
            IF has_moved THEN
                moved := moved || tag;
            END IF;
            CONTINUE;
        END IF;
        moved := moved || tag;
        CONTINUE WHEN divided = '';
        by_column := split_part(divided, ':', 1);
        last_characters := coalesce(nullif(split_part(divided, ':', 2), ''), '1000')::int;
        named := NULL;
        IF number > most_rows THEN
            NULL;
        ELSIF TG_OP = 'INSERT' THEN
            SELECT array_agg(DISTINCT right(to_jsonb(added) ->> by_column, last_characters)) INTO named FROM added;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(DISTINCT right(to_jsonb(removed) ->> by_column, last_characters)) INTO named FROM removed;
        ELSE
            SELECT array_agg(DISTINCT right(value, last_characters)) INTO named
            FROM (
                SELECT to_jsonb(added) ->> by_column AS value FROM added
                UNION ALL
                SELECT to_jsonb(removed) ->> by_column FROM removed
            ) AS both_states;
        END IF;
        IF named IS NULL OR cardinality(named) > most_values THEN
            named := ARRAY['*'];
        END IF;
        SELECT moved || array_agg(tag || ':' || value) INTO moved FROM unnest(named) AS value WHERE value IS NOT NULL;
    END LOOP;
    IF cardinality(moved) > 0 THEN
        INSERT INTO core_touch (commit, tags)
        VALUES (nullif(current_setting('campushub360.commit', true), '')::uuid, moved);
    END IF;
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_partition_by_month"),
    ]

    operations = [
        # What the function did before, it does still: there is nothing to take back.
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
    ]
