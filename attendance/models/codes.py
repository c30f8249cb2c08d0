"""What somebody can be marked with, and what it counts."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, VersionedModel


class AttendanceCode(VersionedModel):
    """One mark that the institution knows, such as present: how much of a class it counts, or that it counts nothing.

    What is exempt stays out of the sum and of what the sum is divided by. A code that is not active marks nobody any
    more, and goes on explaining those whom it has marked.
    """

    code = models.CharField(
        max_length=32,
        validators=[RegexValidator(r"\A[a-z0-9_]+\Z", "Small letters, digits and underscores.")],
        help_text="What is sent and shown, such as present.",
    )
    label = models.CharField(max_length=80)
    weight = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="How much of a class it counts, from 0 to 1.",
    )
    is_exempt = models.BooleanField(default=False, help_text="The class does not count for whoever is marked so.")
    is_active = models.BooleanField(default=True, help_text="Whether anybody can be marked so.")
    takes_minutes = models.BooleanField(
        default=False, db_default=False, help_text="Whether it can be said by how many minutes somebody was late."
    )
    late_from = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Whoever is late by so many minutes is marked so, whichever code that takes minutes was sent.",
    )
    order = models.PositiveSmallIntegerField(default=0, help_text="Where it stands among the others.")

    objects = BaseQuerySet["AttendanceCode"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="attendance_attendancecode_unique_code",
                violation_error_code="code_taken",
                violation_error_message="There is an attendance code of this name.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z0-9_]+$"),
                name="attendance_attendancecode_is_a_word",
                violation_error_code="invalid",
                violation_error_message="A code is made of small letters, digits and underscores.",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=1),
                name="attendance_attendancecode_weight_in_range",
                violation_error_code="weight_out_of_range",
                violation_error_message="A code counts between nothing and a whole class.",
            ),
            models.CheckConstraint(
                condition=Q(is_exempt=False) | Q(weight=0),
                name="attendance_attendancecode_exempt_counts_nothing",
                violation_error_code="exempt_with_weight",
                violation_error_message="What is exempt has no weight.",
            ),
            models.CheckConstraint(
                condition=Q(late_from__isnull=True) | Q(takes_minutes=True, late_from__gte=1, late_from__lte=1440),
                name="attendance_attendancecode_late_by_minutes",
                violation_error_code="late_from_without_minutes",
                violation_error_message="A code is reached by minutes, from one to those of a day, if it takes them.",
            ),
            models.UniqueConstraint(
                fields=["late_from"],
                name="attendance_attendancecode_late_from_once",
                violation_error_code="late_from_taken",
                violation_error_message="Another code is reached by as many minutes.",
            ),
        ]

    def __str__(self) -> str:
        return self.label
