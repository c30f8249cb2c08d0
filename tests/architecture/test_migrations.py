"""A migration that reaches a table full of rows does not lock it while an index is built."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.operations import NotInTransactionMixin
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddConstraint, AddIndex, CreateModel, RunSQL
from django.db.models import UniqueConstraint

MIGRATIONS = {
    f"{app}.{name}": migration
    for (app, name), migration in MigrationLoader(None).disk_migrations.items()
    if app in {label.rpartition(".")[2] for label in settings.FIRST_PARTY_APPS}
}

LOCKING_SQL = re.compile(r"CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)", re.IGNORECASE)


def locking_index_builds(migration: Migration) -> Iterator[str]:
    """Name the indexes that `migration` builds on a table it did not make, while nobody can write to it."""
    created = {operation.name_lower for operation in migration.operations if isinstance(operation, CreateModel)}
    for operation in migration.operations:
        if isinstance(operation, NotInTransactionMixin):
            continue
        if isinstance(operation, AddIndex) and operation.model_name_lower not in created:
            yield operation.index.name
        if isinstance(operation, AddConstraint) and operation.model_name_lower not in created and _has_index(operation):
            yield operation.constraint.name
        if isinstance(operation, RunSQL) and LOCKING_SQL.search(str(operation.sql)):
            yield f"an index in {operation!r}"


def _has_index(operation: AddConstraint) -> bool:
    return isinstance(operation.constraint, UniqueConstraint | ExclusionConstraint)


@pytest.mark.parametrize("name", sorted(MIGRATIONS))
def test_an_index_on_a_table_that_may_be_full_is_built_concurrently(name: str) -> None:
    assert list(locking_index_builds(MIGRATIONS[name])) == []
