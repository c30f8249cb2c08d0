import django.db.models.functions.datetime
from django.db import migrations, models

FUNCTIONS = """
CREATE SEQUENCE audit_entry_id;

-- A function of its own, so that its name says what the column is.
CREATE FUNCTION audit_xact() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT pg_current_xact_id()::text::bigint $$;

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Makes the months of every log from the present one up to that of a day, and says how many. With the rights of its
-- owner, because the application may not make tables; it makes no others than these. A month of which the default
-- partition holds entries already stays there.
CREATE FUNCTION audit_make_partitions(until date) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    log record;
    month date;
    name text;
    made integer := 0;
BEGIN
    IF until > current_date + 366 THEN
        RAISE EXCEPTION 'partitions are made a year ahead at most' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.partitions', 0));
    FOR log IN
        SELECT relname FROM pg_class
        WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace
          AND relname IN ('audit_event', 'audit_disclosure', 'audit_change')
    LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC');
        WHILE month <= until LOOP
            name := log.relname || to_char(month, '_YYYYMM');
            IF to_regclass('public.' || name) IS NULL THEN
                BEGIN
                    EXECUTE format(
                        'CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
                        name, log.relname, month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00'
                    );
                    EXECUTE format(
                        'CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON public.%I '
                        'EXECUTE FUNCTION public.audit_refuse_change()', name
                    );
                    made := made + 1;
                EXCEPTION WHEN check_violation THEN
                    RAISE WARNING 'the entries of % are in the default partition', name;
                END;
            END IF;
            month := month + interval '1 month';
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Lets a partitioned table only grow, and gives it the partition for what no month was made for.
CREATE FUNCTION audit_keep(log regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON %s '
        'FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()', log);
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s '
        'EXECUTE FUNCTION audit_refuse_change()', log);
    EXECUTE format('CREATE TABLE %I PARTITION OF %s DEFAULT', log::text || '_default', log);
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I '
        'EXECUTE FUNCTION audit_refuse_change()', log::text || '_default');
    PERFORM audit_make_partitions((current_date + interval '3 months')::date);
END
$$;
"""
NO_FUNCTIONS = """
DROP FUNCTION IF EXISTS audit_keep(regclass);
DROP FUNCTION IF EXISTS audit_make_partitions(date);
DROP FUNCTION audit_refuse_change() CASCADE;
DROP FUNCTION audit_xact();
DROP SEQUENCE audit_entry_id;
"""
TABLES = [
    """CREATE TABLE audit_event (
    id bigint DEFAULT nextval('audit_entry_id') NOT NULL,
    at timestamptz DEFAULT statement_timestamp() NOT NULL,
    xact bigint DEFAULT audit_xact() NOT NULL,
    actor_id uuid,
    request_id varchar(128) DEFAULT '' NOT NULL,
    action varchar(64) NOT NULL,
    actor_label varchar(254) DEFAULT '' NOT NULL,
    on_behalf_of uuid,
    subject_kind varchar(64) DEFAULT '' NOT NULL,
    subject_id varchar(64) DEFAULT '' NOT NULL,
    reason varchar(2000) DEFAULT '' NOT NULL,
    address inet,
    detail jsonb DEFAULT '{}' NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at)""",
    "CREATE INDEX audit_event_actor ON audit_event (actor_id, id DESC)",
    "CREATE INDEX audit_event_subject ON audit_event (subject_id, id DESC)",
    "SELECT audit_keep('audit_event')",
    """CREATE TABLE audit_disclosure (
    id bigint DEFAULT nextval('audit_entry_id') NOT NULL,
    at timestamptz DEFAULT statement_timestamp() NOT NULL,
    xact bigint DEFAULT audit_xact() NOT NULL,
    actor_id uuid,
    request_id varchar(128) DEFAULT '' NOT NULL,
    what varchar(64) NOT NULL,
    subject_id uuid NOT NULL,
    actor_label varchar(254) DEFAULT '' NOT NULL,
    basis varchar(254) NOT NULL,
    route varchar(254) DEFAULT '' NOT NULL,
    address inet,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at)""",
    "CREATE INDEX audit_disclosure_subject ON audit_disclosure (subject_id, id DESC)",
    "SELECT audit_keep('audit_disclosure')",
]


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0004_remember_chores"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, "DROP TABLE audit_disclosure, audit_event")],
            state_operations=[
                migrations.CreateModel(
                    name="Disclosure",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=models.Func(models.Value("audit_entry_id"), function="nextval"),
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        (
                            "xact",
                            models.BigIntegerField(
                                db_default=models.Func(function="audit_xact", output_field=models.BigIntegerField()),
                                editable=False,
                            ),
                        ),
                        (
                            "actor_id",
                            models.UUIDField(
                                help_text="The account that acted; empty for what nobody in person did.", null=True
                            ),
                        ),
                        ("request_id", models.CharField(blank=True, db_default="", default="", max_length=128)),
                        ("what", models.CharField(help_text="Which record, such as `student record`.", max_length=64)),
                        ("subject_id", models.UUIDField(help_text="The person whose record it is.")),
                        (
                            "actor_label",
                            models.CharField(
                                db_default="", default="", help_text="How the actor was called then.", max_length=254
                            ),
                        ),
                        ("basis", models.CharField(help_text="By which permission, and as what.", max_length=254)),
                        (
                            "route",
                            models.CharField(
                                db_default="", default="", help_text="Where it was shown.", max_length=254
                            ),
                        ),
                        ("address", models.GenericIPAddressField(help_text="Where the request came from.", null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["subject_id", "-id"], name="audit_disclosure_subject")],
                    },
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=models.Func(models.Value("audit_entry_id"), function="nextval"),
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        (
                            "xact",
                            models.BigIntegerField(
                                db_default=models.Func(function="audit_xact", output_field=models.BigIntegerField()),
                                editable=False,
                            ),
                        ),
                        (
                            "actor_id",
                            models.UUIDField(
                                help_text="The account that acted; empty for what nobody in person did.", null=True
                            ),
                        ),
                        ("request_id", models.CharField(blank=True, db_default="", default="", max_length=128)),
                        (
                            "action",
                            models.CharField(help_text="What was done, such as `session.opened`.", max_length=64),
                        ),
                        (
                            "actor_label",
                            models.CharField(
                                db_default="", default="", help_text="How the actor was called then.", max_length=254
                            ),
                        ),
                        ("on_behalf_of", models.UUIDField(null=True)),
                        (
                            "subject_kind",
                            models.CharField(
                                db_default="", default="", help_text="The model, as `app.model`.", max_length=64
                            ),
                        ),
                        ("subject_id", models.CharField(db_default="", default="", max_length=64)),
                        ("reason", models.CharField(db_default="", default="", max_length=2000)),
                        ("address", models.GenericIPAddressField(help_text="Where the request came from.", null=True)),
                        ("detail", models.JSONField(db_default=models.Value("{}"), default=dict)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["actor_id", "-id"], name="audit_event_actor"),
                            models.Index(fields=["subject_id", "-id"], name="audit_event_subject"),
                        ],
                    },
                ),
            ],
        ),
    ]
