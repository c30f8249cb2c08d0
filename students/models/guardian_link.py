"""Who may be told about a student though they neither study nor work here."""

from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from accounts.models import Person
from core.models import BaseQuerySet, VersionedModel
from students.models.student import Student

# From this birthday on a student decides alone who is told (34 CFR 99.5).
ADULT_AT = 18


class GuardianRelation(models.TextChoices):
    PARENT = "parent", "Parent"
    LEGAL_GUARDIAN = "legal_guardian", "Legal guardian"
    PARTNER = "partner", "Spouse or partner"
    OTHER = "other", "Other"


class GuardianScope(models.TextChoices):
    PROFILE = "profile", "Profile"
    ENROLLMENTS = "enrollments", "Enrolments"


def adult_born_until(day: date) -> date:
    """Return the latest day of birth of those who are of age on `day`."""
    try:
        return day.replace(year=day.year - ADULT_AT)
    except ValueError:
        return date(day.year - ADULT_AT, 2, 28)


class GuardianLinkQuerySet(BaseQuerySet["GuardianLink"]):
    def live(self, on: date) -> Self:
        """Those that open something on a day: verified, in force, and consented to by a student of age.

        Of whom no birth date is known, nobody can say that they are a child.
        """
        is_child = Q(student__person__birth_date__gt=adult_born_until(on))
        return self.filter(is_child | Q(consented_at__isnull=False), valid__contains=on, verified_at__isnull=False)

    def for_api(self) -> Self:
        return self.select_related("person", "student__person")


class GuardianLink(VersionedModel):
    """That a person is a guardian of a student during a span of days, and of what the two let them know."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="wards")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="guardians")
    relation = models.CharField(max_length=16, choices=GuardianRelation)
    scopes = ArrayField(
        models.CharField(max_length=16, choices=GuardianScope), help_text="What of the record the guardian sees."
    )
    valid = DateRangeField(help_text="First day (inclusive) until last day (exclusive); an open end lasts.")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When somebody saw proof of the relation.")
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    consented_at = models.DateTimeField(
        null=True, blank=True, help_text="When the student agreed; without that nothing is open once they are of age."
    )
    consent_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = GuardianLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="students_guardianlink_no_overlap",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    ("student", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                violation_error_code="already_a_guardian",
                violation_error_message="This person is a guardian of the student during that time already.",
            ),
            models.CheckConstraint(
                condition=Q(relation__in=GuardianRelation.values),
                name="students_guardianlink_relation_known",
                violation_error_code="invalid_choice",
                violation_error_message="The relation is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=GuardianScope.values) & ~Q(scopes=[]),
                name="students_guardianlink_scopes_known",
                violation_error_code="invalid_choice",
                violation_error_message="A guardian is told something, and only what there is to be told.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.get_relation_display()} of {self.student}"
