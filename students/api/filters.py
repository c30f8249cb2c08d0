"""Query parameters of the student resources."""

from typing import Any

from django.db.models import QuerySet

from core.api import filters
from students.models import (
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    ProgramEnrollmentStatus,
    Student,
    StudentStatus,
    StudentStatusEvent,
)


class StudentFilter(filters.StrictFilterSet):
    student_no = filters.CharFilter()
    status = filters.MultipleChoiceFilter(choices=StudentStatus)
    department = filters.UUIDFilter(field_name="department_id")
    program = filters.UUIDFilter(method="in_primary", help_text="Those whose primary program it is.")
    cohort = filters.CharFilter(method="in_primary", help_text="The cohort in the primary program.")
    advisor = filters.UUIDFilter(field_name="advisor_id", help_text="The advisor as a person.")
    admitted_after = filters.DateFilter(field_name="admitted_on", lookup_expr="gte", help_text="On that day or later.")
    admitted_before = filters.DateFilter(
        field_name="admitted_on", lookup_expr="lte", help_text="On that day or earlier."
    )
    email = filters.CharFilter(field_name="person__email", lookup_expr="iexact")

    class Meta:
        model = Student
        fields = [
            "student_no", "status", "department", "program", "cohort", "advisor", "admitted_after", "admitted_before",
            "email",
        ]  # fmt: skip

    def in_primary(self, queryset: QuerySet[Student], name: str, value: Any) -> QuerySet[Student]:
        primary = ProgramEnrollment.objects.filter(is_primary=True, **{name: value})
        return queryset.filter(pk__in=primary.values("student"))


class StatusHistoryFilter(filters.StrictFilterSet):
    to_status = filters.ChoiceFilter(choices=StudentStatus)

    class Meta:
        model = StudentStatusEvent
        fields = ["to_status"]


class ProgramEnrollmentFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="student_id")
    program = filters.UUIDFilter(field_name="program_id")
    cohort = filters.CharFilter()
    status = filters.MultipleChoiceFilter(choices=ProgramEnrollmentStatus)
    is_primary = filters.BooleanFilter()

    class Meta:
        model = ProgramEnrollment
        fields = ["student", "program", "cohort", "status", "is_primary"]


class ProgramsOfStudentFilter(filters.StrictFilterSet):
    status = filters.MultipleChoiceFilter(choices=ProgramEnrollmentStatus)
    is_primary = filters.BooleanFilter()

    class Meta:
        model = ProgramEnrollment
        fields = ["status", "is_primary"]


class ProgramHistoryFilter(filters.StrictFilterSet):
    to_status = filters.ChoiceFilter(choices=ProgramEnrollmentStatus)

    class Meta:
        model = ProgramEnrollmentEvent
        fields = ["to_status"]
