"""HTTP for who falls short: narrowed, in order of the percentage, and with what each may still miss."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from attendance.api.standing_serializers import TallyField
from attendance.calculation import tallies
from attendance.models import AttendanceSummary
from attendance.narrowing import ShortageFilter
from core.api.rows import LoadedRows
from core.api.serializers import BaseListSerializer
from core.api.viewsets import BaseViewSet
from core.recording import Disclosure
from enrollment.api.serializers import EnrolledSection, EnrolledStudent, EnrolledTerm


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
