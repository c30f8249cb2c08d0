"""What others ask about files: who may refer to one, and whose records one belongs to."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import PROTECT, Exists, F, Func, Model, OuterRef, Q, QuerySet, UUIDField

from core.customfields import customizable_models
from core.models import CustomField, CustomFieldType
from core.privacy import Subject, paths_to_people
from core.visibility import Actor, visible
from files.models import FileAsset, FileLink, ScanState


def may_refer(file_id: UUID, actor: Actor | None) -> bool:
    """Say whether a record that `actor` writes may refer to the file: whoever may read it could as well copy it.

    Nothing refers to what a scanner found to be harmful; what it has not seen yet may be clean.
    """
    live = FileAsset.objects.live().exclude(scan_state=ScanState.INFECTED).filter(pk=file_id)
    return (live if actor is None else visible(live, actor)).exists()


def protecting() -> list[tuple[type[Model], str]]:
    """Return the models of other apps whose rows keep the files that they refer to, each with its foreign key."""
    relations = [each for each in FileAsset._meta.related_objects if each.on_delete is PROTECT]
    return [(each.related_model, each.field.name) for each in relations if each.related_model is not FileLink]


def is_protected() -> Q:
    """Match the files that rows of other apps keep: they are theirs for as long as those are there."""
    kept = Q(pk__in=())
    for model, key in protecting():
        kept |= Q(Exists(model._base_manager.filter(**{key: OuterRef("pk")})))
    return kept


def people_behind(assets: Collection[UUID]) -> list[UUID]:
    """Return the people whose records refer to the files, or did."""
    links = FileLink.objects.filter(asset__in=list(assets))
    former = links.annotate(person=Func(F("people"), function="unnest", output_field=UUIDField()))
    found = former.order_by().values_list("person")
    for entity_type, model in customizable_models().items():
        ids = links.present().of_kind(entity_type).values("object_id")
        rows = model._base_manager.filter(pk__in=ids).order_by()
        found = found.union(*(rows.values_list(path) for path in paths_to_people(model)))
    for keeper, key in protecting():
        keeping = keeper._base_manager.filter(**{f"{key}__in": list(assets)}).order_by()
        found = found.union(*(keeping.values_list(path) for path in paths_to_people(keeper)))
    people: set[UUID | None] = {person for (person,) in found}
    return sorted(person for person in people if person is not None)


def people_of(entity_type: str, ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """Return whose each of these records is, of those that are somebody's."""
    model, people = customizable_models()[entity_type], defaultdict[UUID, list[UUID]](list)
    for path in paths_to_people(model):
        for pk, person in model._base_manager.filter(pk__in=list(ids)).values_list("pk", path):
            people[pk] += [person] if person is not None else []
    return people


def links_about(subject: Subject) -> Q:
    """Match by which links the records of a person refer to files, or did."""
    return Q(object_id__in=subject.ids) | Q(people__overlap=list(subject.people))


def attached_to(records: QuerySet[Any]) -> QuerySet[FileLink, Any]:
    """Return which files are attached to records of one kind, all of them or those of a narrowed queryset."""
    links = FileLink.objects.attachments(records.model._meta.label_lower)
    # Every record is no condition at all.
    return links.filter(object_id__in=records.order_by().values("pk")) if records.query.where else links


def have_files(column: str) -> Exists:
    """Return the condition that the record that a column names refers to a file, or has one attached."""
    return Exists(FileLink.objects.present().filter(object_id=OuterRef(column)))


def file_fields_of(model: type[Model], *, protected: bool) -> QuerySet[CustomField, Any]:
    """Return the keys of the custom fields of a model that show files, for an `__in`."""
    fields = CustomField.objects.filter(entity_type=model._meta.label_lower, field_type=CustomFieldType.FILE)
    return fields.filter(is_active=True, protected=protected).values("pk")
