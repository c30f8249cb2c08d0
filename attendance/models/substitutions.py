"""Who stands in for a teacher in one class, and how that came about.

    ClassSession 1 --- * Substitution * --- 1 faculty.Faculty, twice: in whose place, and who
                         Substitution 1 --- * SubstitutionEvent

At most one proposal about a session is open, and at most one is accepted.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from faculty.models import Faculty


class SubstitutionStatus(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


class SubstitutionQuerySet(BaseQuerySet["Substitution"]):
    def for_api(self) -> Self:
        return self.select_related(
            "session__section__course", "instructor__person", "substitute__person", "proposed_by"
        )


class Substitution(VersionedModel):
    """That somebody was asked to teach one session in the place of its teacher, and what they said."""

    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="substitutions")
    instructor = models.ForeignKey(
        Faculty, on_delete=models.PROTECT, related_name="substituted_for", help_text="In whose place."
    )
    substitute = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="substitutions")
    reason = models.TextField(blank=True, max_length=2000, help_text="Why somebody else is to teach.")
    status = models.CharField(
        max_length=10, choices=SubstitutionStatus, default=SubstitutionStatus.PROPOSED, editable=False
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = SubstitutionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(status=SubstitutionStatus.PROPOSED),
                name="attendance_substitution_one_open",
                violation_error_code="substitution_open",
                violation_error_message="Somebody has been asked to substitute in this session, and has not answered.",
            ),
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(status=SubstitutionStatus.ACCEPTED),
                name="attendance_substitution_one_accepted",
                violation_error_code="session_substituted",
                violation_error_message="Somebody substitutes in this session already.",
            ),
            models.CheckConstraint(
                condition=~Q(substitute=F("instructor")),
                name="attendance_substitution_by_another",
                violation_error_code="substitute_teaches",
                violation_error_message="Nobody substitutes for themselves.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SubstitutionStatus.values),
                name="attendance_substitution_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="attendance_subst_by_creation")]

    def __str__(self) -> str:
        return f"{self.session}, {self.substitute} for {self.instructor}"


class SubstitutionOffer(Substitution):
    """A proposal as the one who is asked sees it, and answers."""

    class Meta:
        proxy = True


class SubstitutionEventQuerySet(BaseQuerySet["SubstitutionEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "substitution")


class SubstitutionEvent(TimeStampedUUIDModel):
    """One step of a substitution from one status to another, by whom and why."""

    substitution = models.ForeignKey(Substitution, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=10, choices=SubstitutionStatus, blank=True, help_text="Empty at first.")
    to_status = models.CharField(max_length=10, choices=SubstitutionStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = SubstitutionEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
