"""The PostgreSQL extensions every app relies on, and the text folding that search indexes use."""

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations

# `unaccent` is only STABLE because its dictionary could be changed; naming the dictionary makes the
# result depend on the argument alone, which generated columns and index expressions require.
CREATE_FOLD = """
CREATE FUNCTION core_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(public.unaccent('public.unaccent', value)) $$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(CREATE_FOLD, "DROP FUNCTION core_fold(text);"),
    ]
