"""Whom entries of the logs are about that name rows and no people."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Model

from audit.models import Change
from core.privacy import declared, paths_to_people, people_of
from core.recording import Disclosure


def people_behind(changes: Collection[int]) -> set[UUID]:
    """Return the people whose rows these changes wrote, by their numbers, in two queries.

    A row that is gone, or led to somebody else before, is known by the keys among what was changed. Nobody is left to
    be told of a row that led to another one that is gone as well.
    """
    models = {each.model._meta.db_table: each.model for each in declared()}
    entries = Change.objects.filter(pk__in=changes, table_name__in=models).order_by()
    people, rows = set[UUID](), defaultdict[type[Model], set[str]](set)
    for table, row_id, changed in entries.values_list("table_name", "row_id", "changes"):
        for model, key in [(models[table], row_id), *_keys(models[table], changed or {})]:
            if paths_to_people(model) == ("pk",):
                people.add(UUID(key))
            else:
                rows[model].add(key)
    return people | people_of(*(model._base_manager.filter(pk__in=keys) for model, keys in rows.items()))


def _keys(model: type[Model], changed: dict[str, Any]) -> Iterator[tuple[type[Model], str]]:
    """Yield what a row led to on the way to people, before and after, as far as that was changed."""
    for step in {path.partition("__")[0] for path in paths_to_people(model)} - {"pk"}:
        column: Any = model._meta.get_field(step)
        for key in changed.get(column.column) or ():
            if key is not None:
                yield column.related_model, key


CHANGES = Disclosure("change", "id", behind=people_behind)
