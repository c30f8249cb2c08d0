"""That something about a person must not be lost, whatever else is asked for."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Person, SamePerson
from core.models import BaseQuerySet, VersionedModel


class LegalHoldQuerySet(BaseQuerySet["LegalHold"]):
    def for_api(self) -> Self:
        return self.select_related("person", "placed_by", "released_by")

    def in_force(self) -> Self:
        """Those that nobody has released."""
        return self.filter(released_at=None)


class LegalHold(VersionedModel):
    """That the records of a person are to be kept as they are, from when somebody said so until somebody releases it.

    While one is in force the person is not erased, and what retention would delete of theirs stays. It is about all
    records of that person: those they were merged into, and those that were merged into them.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=500, help_text="The case or order that it is for.")
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    released_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(null=True, blank=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], name="privacy_legalhold_latest"),
            models.Index(fields=["person"], condition=Q(released_at=None), name="privacy_legalhold_in_force"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="privacy_legalhold_has_reason",
                violation_error_code="reason_required",
                violation_error_message="A hold says what it is for.",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gte=models.F("placed_at")),
                name="privacy_legalhold_released_after",
                violation_error_code="released_before_placed",
                violation_error_message="A hold is released after it was placed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.reason}"


def same_people(person_id: UUID) -> models.QuerySet[Person]:
    """Return every record of somebody who was recorded more than once."""
    return _every_record(Person.objects.filter(pk=person_id), "pk")


def held_people() -> models.QuerySet[Person]:
    """Return whose records are held, by a hold on any record of theirs."""
    return _every_record(LegalHold.objects.in_force(), "person")


def _every_record(rows: models.QuerySet[Any], path: str) -> models.QuerySet[Person]:
    return Person.objects.filter(pk__in=rows.annotate(same=SamePerson(path)).values("same"))
