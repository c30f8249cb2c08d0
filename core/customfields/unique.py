"""Keeps the values of unique fields unique, whoever writes at the same time.

JSONB cannot carry a unique constraint per definition, so each value held is also a row of
`UniqueCustomValue`, whose constraint two transactions cannot both satisfy. Nor can it carry a
foreign key, so whoever keeps files is told here, too, which of them records refer to.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model, Q

from core.customfields.errors import CustomValueTakenError
from core.customfields.files import refer_to_files, release_files
from core.customfields.selectors import customizable_models, definitions_of
from core.errors import DomainError, raise_all
from core.models import CustomField, CustomizableModel, UniqueCustomValue


def digest(value: Any) -> bytes:
    """Return the SHA-256 of a canonical value; within one field equal values alone have equal texts."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return hashlib.sha256(text.encode()).digest()


def taken(
    model: type[Model], values: Mapping[str, Any], definitions: Iterable[CustomField], instance_id: UUID | None
) -> list[str]:
    """Return the names of the unique fields whose value another record holds at this moment."""
    wanted = {
        (definition.pk, digest(values[definition.name])): definition.name
        for definition in definitions
        if definition.unique_values and definition.name in values
    }
    if not wanted:
        return []
    any_of = Q()
    for field_id, value_digest in wanted:
        any_of |= Q(field_id=field_id, digest=value_digest)
    holders = UniqueCustomValue.objects.filter(any_of, object_id__in=model._base_manager.values("pk"))
    if instance_id is not None:
        holders = holders.exclude(object_id=instance_id)
    return [wanted[field_id, bytes(found)] for field_id, found in holders.values_list("field_id", "digest")]


def apply_unique(instance: CustomizableModel, definitions: Sequence[CustomField] | None = None) -> None:
    """Record the unique values that a record just written holds, and the files it refers to.

    Raises `CustomValueTakenError` when another record holds one, and `FileUnavailableError` when a file was deleted
    meanwhile; the caller's transaction must end.
    """
    apply_unique_many(type(instance), {instance.pk: instance.custom_data}, definitions)


def apply_unique_many(
    model: type[Model],
    held: Mapping[UUID, Mapping[str, Any]],
    definitions: Sequence[CustomField] | None = None,
) -> None:
    """Record the unique values and the files of many records, given their `custom_data` by id.

    Raises the errors of `apply_unique`, with the record's id in `meta`.
    """
    known = definitions_of(model) if definitions is None else definitions
    errors: list[DomainError] = []
    # One order for everybody, so that two writers of the same values cannot wait for each other.
    for definition in sorted(known, key=lambda definition: definition.pk):
        if definition.unique_values:
            values = {pk: data[definition.name] for pk, data in held.items() if definition.name in data}
            errors += [
                CustomValueTakenError(field=f"custom_fields.{definition.name}", meta={"id": str(pk)})
                for pk in record(definition, values, among=held)
            ]
    raise_all([*errors, *refer_to_files(held, known)])


def record(definition: CustomField, values: Mapping[UUID, Any], *, among: Iterable[UUID]) -> list[UUID]:
    """Make the rows of `definition` for the records `among` say `values`; return those refused."""
    wanted = {pk: digest(value) for pk, value in values.items()}
    rows = UniqueCustomValue.objects.filter(field=definition)
    known = rows.filter(object_id__in=list(among)).values_list("object_id", "digest")
    present = {pk: bytes(found) for pk, found in known}
    if stale := [pk for pk, found in present.items() if wanted.get(pk) != found]:
        rows.filter(object_id__in=stale).delete()
    missing = {pk: wanted[pk] for pk in wanted if present.get(pk) != wanted[pk]}
    refused = _insert(definition, missing)
    if refused and _forget_lost_holders(definition, refused.values()):
        refused = _insert(definition, refused)
    return list(refused)


def _insert(definition: CustomField, wanted: Mapping[UUID, bytes]) -> dict[UUID, bytes]:
    """Insert what nobody holds, after whoever is about to; return the rest."""
    if not wanted:
        return {}
    ordered = sorted(wanted.items(), key=lambda item: item[1])
    UniqueCustomValue.objects.bulk_create(
        [UniqueCustomValue(field=definition, object_id=pk, digest=value) for pk, value in ordered],
        ignore_conflicts=True,
        batch_size=1000,
    )
    # A row skipped on conflict is silent; reading back tells whose the values are.
    inserted = UniqueCustomValue.objects.filter(field=definition, object_id__in=list(wanted))
    mine = set(inserted.values_list("object_id", flat=True))
    return {pk: value for pk, value in wanted.items() if pk not in mine}


def _forget_lost_holders(definition: CustomField, digests: Iterable[bytes]) -> int:
    """Drop rows of records that were deleted without a word to this module; return how many."""
    model = customizable_models()[definition.entity_type]
    lost = UniqueCustomValue.objects.filter(field=definition, digest__in=list(digests))
    deleted, _ = lost.exclude(object_id__in=model._base_manager.values("pk")).delete()
    return deleted


def release_unique(model: type[Model], ids: Iterable[UUID]) -> None:
    """Give up the unique values of records that are deleted, and what files they refer to."""
    gone = list(ids)
    UniqueCustomValue.objects.filter(object_id__in=gone).delete()
    release_files(gone)
