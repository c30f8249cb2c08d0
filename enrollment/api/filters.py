"""Query parameters of the enrolment resources."""

from typing import Any

from django.db.models import QuerySet

from core.api import filters
from courses.models import Course
from enrollment.models import Enrollment, EnrollmentEvent, EnrollmentStatus, GradeBasis, Result, Source


class EnrollmentFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="student_id")
    section = filters.UUIDFilter(field_name="section_id")
    course = filters.UUIDFilter(field_name="course_id")
    term = filters.UUIDFilter(field_name="term_id")
    department = filters.UUIDFilter(method="of_department", help_text="In the courses of this department.")
    status = filters.MultipleChoiceFilter(choices=EnrollmentStatus.choices)
    grade_basis = filters.ChoiceFilter(choices=GradeBasis.choices)
    result = filters.MultipleChoiceFilter(choices=Result.choices)
    source = filters.ChoiceFilter(choices=Source.choices)
    enrolled_after = filters.DateTimeFilter(field_name="enrolled_at", lookup_expr="gte", help_text="Then or later.")
    enrolled_before = filters.DateTimeFilter(field_name="enrolled_at", lookup_expr="lte", help_text="Then or earlier.")

    class Meta:
        model = Enrollment
        fields = [
            "student", "section", "course", "term", "department", "status", "grade_basis", "result", "source",
            "enrolled_after", "enrolled_before",
        ]  # fmt: skip

    def of_department(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(course__in=Course.objects.filter(department=value).values("pk"))


class RosterFilter(filters.StrictFilterSet):
    status = filters.MultipleChoiceFilter(choices=EnrollmentStatus.choices)

    class Meta:
        model = Enrollment
        fields = ["status"]


class EnrollmentEventFilter(filters.StrictFilterSet):
    to_status = filters.ChoiceFilter(choices=EnrollmentStatus.choices)

    class Meta:
        model = EnrollmentEvent
        fields = ["to_status"]
