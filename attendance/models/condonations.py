"""By what a shortage was condoned: the documents that somebody brought.

EligibilityDecision 1 --- 0..1 Condonation, of the decision that condones
"""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from attendance.models.eligibility import EligibilityDecision
from core.models import BaseQuerySet, CustomizableModel, custom_data_index


class CondonationQuerySet(BaseQuerySet["Condonation"]):
    def for_api(self) -> Self:
        return self.select_related("decision__enrollment__student__person")


class Condonation(CustomizableModel):
    """What the decision by which a shortage was condoned rests on, under the id of that decision.

    Documents are custom fields of the type file. What was brought stays as it was, as the decision does: whoever has
    brought the wrong one withdraws the condonation, and condones anew. A mask keeps protected fields from whoever does
    not decide.
    """

    decision = models.OneToOneField(EligibilityDecision, on_delete=models.PROTECT, related_name="grounds")

    search_paths: ClassVar = (
        "decision__enrollment__student__search_text", "decision__enrollment__student__person__search_name",
    )  # fmt: skip

    objects = CondonationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=F("decision")),
                name="attendance_condonation_is_of_decision",
                violation_error_code="invalid",
                violation_error_message="A condonation has the id of its decision.",
            ),
        ]
        indexes = [
            custom_data_index("attendance_condonation"),
            models.Index(fields=["created_at", "id"], name="attendance_condonation_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.decision_id}"
