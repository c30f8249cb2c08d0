"""What lists and tables of marks, shortages and decisions are narrowed by: lists over HTTP, tables by a worker too."""

from typing import Any

from django.db.models import QuerySet

from attendance.models import AttendanceRecord, AttendanceSummary, Eligibility, EligibilityDecision, Outdated
from core.api import filters
from courses.models import Course
from departments.selectors import below
from enrollment.models import EnrollmentStatus


class AttendanceExportFilter(filters.StrictFilterSet):
    """What a table of marks is narrowed by, which is read session by session."""

    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")

    class Meta:
        model = AttendanceRecord
        fields = ["section", "term", "date_from", "date_to"]


class ShortageFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="term_id")
    student = filters.UUIDFilter(field_name="enrollment__student_id")
    course = filters.UUIDFilter(field_name="enrollment__course_id")
    department = filters.UUIDFilter(method="in_department", help_text="In its courses, or those of what lies below it.")
    status = filters.MultipleChoiceFilter(field_name="enrollment__status", choices=EnrollmentStatus.choices)
    percent_below = filters.NumberFilter(field_name="percent", lookup_expr="lt")

    class Meta:
        model = AttendanceSummary
        fields = ["section", "term", "student", "course", "department", "status", "percent_below"]

    def in_department(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(enrollment__course__in=Course.objects.filter(below([value])).values("pk"))


class EligibilityDecisionFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="term_id")
    enrollment = filters.UUIDFilter(field_name="enrollment_id")
    student = filters.UUIDFilter(field_name="enrollment__student_id")
    course = filters.UUIDFilter(field_name="enrollment__course_id")
    status = filters.MultipleChoiceFilter(
        field_name="enrollment__status",
        choices=EnrollmentStatus.choices,
        help_text="Of the enrolment: what was decided about those who have left since stays on record.",
    )
    outcome = filters.MultipleChoiceFilter(choices=Eligibility.choices)
    is_current = filters.BooleanFilter(
        field_name="superseded_at", lookup_expr="isnull", help_text="Whether no later decision supersedes it."
    )

    is_outdated = filters.BooleanFilter(
        method="with_other_numbers", help_text="Whether marks have come to other numbers since."
    )

    class Meta:
        model = EligibilityDecision
        fields = [
            "section", "term", "enrollment", "student", "course", "status", "outcome", "is_current", "is_outdated",
        ]  # fmt: skip

    def with_other_numbers(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        found: QuerySet[Any] = queryset.alias(has_other_numbers=Outdated.of()).filter(has_other_numbers=value)
        return found
