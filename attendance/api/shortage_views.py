"""HTTP for who falls short: narrowed, in order of the percentage, and with what each may still miss."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from attendance.api.standing_serializers import TallyField
from attendance.calculation import tallies
from attendance.models import AttendanceSummary
from core.api import filters
from core.api.rows import LoadedRows
from core.api.serializers import BaseListSerializer
from core.api.viewsets import BaseViewSet
from core.recording import Disclosure
from courses.models import Course
from departments.selectors import below
from enrollment.api.serializers import EnrolledSection, EnrolledStudent, EnrolledTerm
from enrollment.models import EnrollmentStatus


class ShortageSerializer(BaseListSerializer[AttendanceSummary]):
    """Somebody who falls short in a section."""

    enrollment = serializers.UUIDField(source="enrollment_id")
    status = serializers.CharField(source="enrollment.status", help_text="Of the enrolment.")
    student = EnrolledStudent(source="enrollment.student")
    section = EnrolledSection(source="enrollment")
    term = EnrolledTerm(source="enrollment.term")
    attendance = TallyField(source="tally")

    class Meta:
        model = AttendanceSummary
        fields = ["id", "enrollment", "status", "student", "section", "term", "attendance"]


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


class TalliedRows(LoadedRows):
    """Rows with what each comes to by now, found in one statement for a page."""

    def data(self, rows: Sequence[Any]) -> Any:
        found = tallies([row.enrollment_id for row in rows], at=timezone.now())
        for row in rows:
            row.tally = found[row.enrollment_id]
        return super().data(rows)


class ShortageViewSet(BaseViewSet[AttendanceSummary]):
    """Who falls short of what the policy asks for, from the lowest percentage on."""

    queryset = AttendanceSummary.objects.filter(is_short=True)
    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_serializer_class = ShortageSerializer
    filterset_class = ShortageFilter
    ordering_fields = {"percent": "percent", "updated_at": "updated_at"}
    default_ordering = ("percent",)
    searchable = True

    @cached_property
    def rows(self) -> TalliedRows:
        return TalliedRows(self)
