import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

FUNCTIONS = """
-- Notes which tags a statement moved. Its arguments are pairs: a tag, and the column that divides it or nothing.
-- A statement that changed many rows is not asked which values they have.
CREATE FUNCTION core_touch_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most_rows constant int := 1000;
    most_values constant int := 100;
    number int;
    named text[];
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
        moved := moved || TG_ARGV[2 * pair];
        CONTINUE WHEN TG_ARGV[2 * pair + 1] = '';
        named := NULL;
        IF number > most_rows THEN
            NULL;
        ELSIF TG_OP = 'INSERT' THEN
            SELECT array_agg(DISTINCT to_jsonb(added) ->> TG_ARGV[2 * pair + 1]) INTO named FROM added;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(DISTINCT to_jsonb(removed) ->> TG_ARGV[2 * pair + 1]) INTO named FROM removed;
        ELSE
            SELECT array_agg(DISTINCT value) INTO named
            FROM (
                SELECT to_jsonb(added) ->> TG_ARGV[2 * pair + 1] AS value FROM added
                UNION ALL
                SELECT to_jsonb(removed) ->> TG_ARGV[2 * pair + 1] FROM removed
            ) AS both_states;
        END IF;
        IF named IS NULL OR cardinality(named) > most_values THEN
            named := ARRAY['*'];
        END IF;
        SELECT moved || array_agg(TG_ARGV[2 * pair] || ':' || value) INTO moved
        FROM unnest(named) AS value WHERE value IS NOT NULL;
    END LOOP;
    INSERT INTO core_touch (commit, tags)
    VALUES (nullif(current_setting('campushub360.commit', true), '')::uuid, moved);
    RETURN NULL;
END
$$;

CREATE FUNCTION core_unfollow_touches(followed regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS core_touch_insert ON %s', followed);
    EXECUTE format('DROP TRIGGER IF EXISTS core_touch_update ON %s', followed);
    EXECUTE format('DROP TRIGGER IF EXISTS core_touch_delete ON %s', followed);
END
$$;

CREATE FUNCTION core_follow_touches(followed regclass, pairs text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    arguments text := (SELECT string_agg(quote_literal(part), ', ' ORDER BY place) FROM unnest(pairs) WITH ORDINALITY AS pair(part, place));
BEGIN
    PERFORM core_unfollow_touches(followed);
    EXECUTE format('CREATE TRIGGER core_touch_insert AFTER INSERT ON %s '
        'REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION core_touch_rows(%s)', followed, arguments);
    EXECUTE format('CREATE TRIGGER core_touch_update AFTER UPDATE ON %s '
        'REFERENCING OLD TABLE AS removed NEW TABLE AS added '
        'FOR EACH STATEMENT EXECUTE FUNCTION core_touch_rows(%s)', followed, arguments);
    EXECUTE format('CREATE TRIGGER core_touch_delete AFTER DELETE ON %s '
        'REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION core_touch_rows(%s)', followed, arguments);
END
$$;
"""
NO_FUNCTIONS = """
DROP FUNCTION core_follow_touches(regclass, text[]);
DROP FUNCTION core_unfollow_touches(regclass);
DROP FUNCTION core_touch_rows() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_remember_chores"),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("until", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", True)),
                        name="core_lease_only_one",
                        violation_error_code="only_one_lease",
                        violation_error_message="There is one lease.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Touch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("commit", models.UUIDField(editable=False, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), size=None),
                ),
                ("touched_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name_plural": "touches",
                "indexes": [models.Index(fields=["commit"], name="core_touch_commit")],
            },
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
