import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids

# By the hash first: a search probes it once for each hash and stops at so many rows, and the table may be partitioned by
# hash. A foreign key to the document would cost every row a look-up, and an index more; the trigger below keeps the two
# together.
TABLE = """CREATE TABLE texts_fingerprint (
    hash bigint NOT NULL,
    document_id uuid NOT NULL,
    CONSTRAINT texts_fingerprint_pkey PRIMARY KEY (hash, document_id)
)
"""
FUNCTION = """CREATE FUNCTION texts_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE texts_fingerprint;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM texts_fingerprint USING unnest(OLD.hashes) AS gone (hash)
        WHERE texts_fingerprint.hash = gone.hash AND document_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO texts_fingerprint (hash, document_id)
        SELECT DISTINCT made.hash, NEW.id FROM unnest(NEW.hashes) AS made (hash) ORDER BY made.hash;
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = [
    """
    CREATE TRIGGER texts_document_indexed AFTER INSERT OR DELETE OR UPDATE OF id, hashes ON texts_document
    FOR EACH ROW EXECUTE FUNCTION texts_index()
    """,
    """
    CREATE TRIGGER texts_document_emptied AFTER TRUNCATE ON texts_document
    FOR EACH STATEMENT EXECUTE FUNCTION texts_index()
    """,
]
# The triggers go with their function.
UNDO = """
DROP FUNCTION texts_index CASCADE;
DROP TABLE texts_fingerprint;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "corpus",
                    models.CharField(
                        help_text="What it is one of, as `projects.submissions`: the app and its own word.",
                        max_length=100,
                    ),
                ),
                ("owner", models.UUIDField(help_text="The record that it belongs to.")),
                (
                    "authors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        blank=True,
                        default=list,
                        help_text="The people who wrote it; none of a published source.",
                        size=None,
                    ),
                ),
                ("text", models.TextField()),
                (
                    "hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        editable=False,
                        help_text="Its fingerprints, each once.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name": "text",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["authors"], name="texts_document_by_author"),
                    models.Index(fields=["created_at"], name="texts_document_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("corpus", "owner"),
                        name="texts_document_one_of_each",
                        violation_error_code="conflict",
                        violation_error_message="A record has one text in a corpus.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("corpus", ""), _negated=True),
                        name="texts_document_in_a_corpus",
                        violation_error_code="invalid",
                        violation_error_message="A text is one of a corpus.",
                    ),
                ],
            },
        ),
        migrations.RunSQL([TABLE, FUNCTION, *TRIGGERS], UNDO),
    ]
