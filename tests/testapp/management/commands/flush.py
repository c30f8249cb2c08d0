"""What empties the tables after a test that commits.

Django's own command also throws away what `migrate` derives from the models (content types, permissions, triggers of
the history) and has it all made again, and PostgreSQL makes new files for every table that is truncated; both take
longer than most of these tests. So only tables that hold something are emptied, row by row, with all triggers asleep.
"""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import connections, transaction
from psycopg import sql

DERIVED = {model._meta.db_table for model in (ContentType, Permission)}


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        tables = {name: sql.Identifier(name) for name in names if name not in DERIVED}
        filled = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT FROM {})").format(table) for table in tables.values())
        with transaction.atomic(using=options["database"]), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT {}").format(filled))
            emptied = [table for table, is_filled in zip(tables.values(), cursor.fetchone(), strict=True) if is_filled]
            if not emptied:
                return
            for table in emptied:
                cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
            # In one statement, so that no row is looked for that is going as well.
            deletions = sql.SQL(", ").join(
                sql.SQL("{} AS (DELETE FROM {})").format(sql.Identifier(f"emptied_{number}"), table)
                for number, table in enumerate(emptied)
            )
            cursor.execute(sql.SQL("WITH {} SELECT").format(deletions))
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in emptied:
                cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(table))
