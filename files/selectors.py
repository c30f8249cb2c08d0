"""What others ask about files: who may refer to one, and whose records one belongs to."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from core.customfields import customizable_models
from core.models import CustomField, CustomFieldType
from core.privacy import declared
from core.visibility import Actor, visible
from files.models import FileAsset, FileLink


def may_refer(file_id: UUID, actor: Actor | None) -> bool:
    """Say whether a record that `actor` writes may refer to the file: whoever may read it could as well copy it."""
    live = FileAsset.objects.live().filter(pk=file_id)
    return (live if actor is None else visible(live, actor)).exists()


def people_behind(assets: Collection[UUID]) -> list[UUID]:
    """Return the people whose records refer to the files."""
    links = FileLink.objects.filter(asset__in=list(assets)).values_list("custom_field__entity_type", "object_id")
    records: defaultdict[str, set[UUID]] = defaultdict(set)
    for entity_type, object_id in links:
        records[entity_type].add(object_id)
    models = customizable_models()
    return sorted({person for label, ids in records.items() for person in _people_of(models[label], ids)})


def file_fields_of(model: type[Model], *, protected: bool) -> QuerySet[CustomField, Any]:
    """Return the keys of the custom fields of a model that show files, for an `__in`."""
    fields = CustomField.objects.filter(entity_type=model._meta.label_lower, field_type=CustomFieldType.FILE)
    return fields.filter(is_active=True, protected=protected).values("pk")


def _people_of(model: type[Model], ids: Collection[UUID]) -> set[UUID]:
    paths = [path for each in declared() if each.model is model for path in each.paths]
    rows = model._base_manager.filter(pk__in=list(ids))
    return {person for path in paths for person in rows.values_list(path, flat=True) if person is not None}
