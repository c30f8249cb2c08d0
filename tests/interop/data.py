"""Real files that imports are tried on, and the whole database as one value to compare.

The files lie beside the checkout. A test that needs one is skipped, by name, where the folder is
absent, unless REAL_DATA_REQUIRED is set, as CI does where it has the folder.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

# Imports' own bookkeeping, and what is announced or put on record and never taken back.
APART = {
    "interop_importjob", "interop_importrow", "interop_importjobevent", "core_outboxevent",
    "audit_change", "audit_seal", "core_touch",
}  # fmt: skip


def needs(folder: str) -> pytest.MarkDecorator:
    """Skip a test without a folder of the shared data, unless its absence is a fault."""
    is_absent = not (DATA / folder).exists() and not os.environ.get("REAL_DATA_REQUIRED")
    return pytest.mark.skipif(is_absent, reason=f"../shared/data/{folder} is not there")


def dump() -> dict[str, list[Any]]:
    """Return every row of every table of ours, column by column, in an order of its own."""
    tables = {}
    with connection.cursor() as cursor:
        for label in settings.FIRST_PARTY_APPS:
            for model in apps.get_app_config(label).get_models():
                table = model._meta.db_table
                if table not in APART:
                    query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t ORDER BY 1")
                    cursor.execute(query.format(sql.Identifier(table)))
                    tables[table] = [row for (row,) in cursor.fetchall()]
    return tables


def empty_database() -> None:
    """Leave no row behind, whatever a failed test has left."""
    call_command("flush", interactive=False, verbosity=0)
