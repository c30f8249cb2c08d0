"""What empties the tables after a test that commits.

Django's own command also throws away what `migrate` derives from the models (content types, permissions, triggers of
the history) and has it all made again, which takes longer than most of these tests.
"""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.core.management.commands import flush
from django.db import connections

DERIVED = {model._meta.db_table for model in (ContentType, Permission)}


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        connection.ops.execute_sql_flush(
            connection.ops.sql_flush(no_style(), [name for name in names if name not in DERIVED])
        )
