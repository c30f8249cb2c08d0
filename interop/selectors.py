"""Whom the rows of imports are about: staged rows name records, and no people."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Func, OuterRef, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from core.privacy import paths_to_people, people_of
from core.recording import Disclosure
from faculty.models import Faculty
from interop.models import ExternalIdentifier, ImportRow
from interop.targets.registry import TARGETS
from students.models import Student


def people_behind(rows: QuerySet[ImportRow]) -> list[UUID]:
    """Return the people whom staged rows are about, by one query: by their records, or by how the rows name those.

    A row of somebody who is not on record yet is about nobody.
    """
    return sorted(people_of(*_records(rows)))


def _records(rows: QuerySet[ImportRow]) -> Iterator[QuerySet[Any]]:
    rows = rows.order_by()
    for resource, target in TARGETS.items():
        if paths_to_people(target.model):
            concerned = rows.filter(resource=resource, object_id__isnull=False).values("object_id")
            yield target.model._base_manager.filter(pk__in=concerned)
    # What was refused, or is yet to be made, has no record that the row could name.
    pending = rows.filter(object_id=None)
    yield Student.objects.filter(student_no__in=_keys(pending.filter(resource="students"), F("natural_key")))
    yield Faculty.objects.filter(employee_no__in=_keys(pending.filter(resource="faculty"), F("natural_key")))
    yield Student.objects.filter(student_no__in=_keys(pending, KeyTextTransform("student", "values")))
    yield Student.objects.filter(pk__in=_known_elsewhere(pending, "students.student"))


def _keys(rows: QuerySet[ImportRow], key: Combinable) -> QuerySet[Any]:
    """Return natural keys of a single part as what they were composed of."""
    plain = Func(key, Value(r"\\(.)"), Value(r"\1"), Value("g"), function="regexp_replace", output_field=TextField())
    return rows.annotate(key=plain).filter(key__isnull=False).values("key")


def _known_elsewhere(rows: QuerySet[ImportRow], entity_type: str) -> QuerySet[Any]:
    """Return the ids of the students whom rows refer to by `scheme:value` of another system."""
    reference = KeyTextTransform("external", KeyTransform("student", "values"))
    name = Func(F("scheme"), Value(":"), F("value"), function="concat", output_field=TextField())
    known = ExternalIdentifier.objects.filter(entity_type=entity_type).annotate(name=name)
    named = rows.annotate(reference=reference).filter(reference=OuterRef("name"))
    return known.filter(Exists(named)).values("object_id")


def _people_behind(keys: Collection[UUID]) -> list[UUID]:
    return people_behind(ImportRow.objects.filter(pk__in=keys))


ROWS = Disclosure("import row", "id", behind=_people_behind)
