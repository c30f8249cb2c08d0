"""HTTP for how often students were there: of one student, of a section, and every class that it is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance.api import standing_serializers as serializers
from attendance.calculation import Tally, tallies, trend_of, units
from attendance.models import Standing
from attendance.selectors import decided
from core.api import filters
from core.api.nested import NestedListViewSet
from core.api.parameters import UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.db.prepared import rows_of
from core.errors import raise_all
from core.recording import Disclosure
from enrollment.api.serializers import EnrollmentSerializer
from enrollment.models import Enrollment

ATTENDANCE = Disclosure("attendance", "student.person_id")


class StudentAttendanceFilter(filters.StrictFilterSet):
    term = filters.UUIDFilter(field_name="term_id", help_text="Of sections of that term alone, and so is the total.")

    class Meta:
        model = Enrollment
        fields = ["term"]


class _StandingsViewSet(NestedListViewSet[Enrollment]):
    """The standings of a student or of a section, summed up."""

    queryset = Standing.objects.exclude(status="pending")
    discloses = ATTENDANCE
    list_serializer_class = EnrollmentSerializer
    sums_up = True
    shape: type[BaseSerializer[Any]]
    order: Sequence[str] = ()
    # What lines say beside the enrolment, and whose it is: each further table makes it far longer to plan.
    loads: Sequence[str] = ()

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return self.shape

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = decided(self.filter_queryset(self.get_queryset())).select_related(None).select_related(*self.loads)
        rows = rows_of(found.order_by(*self.order))
        self.put_on_record(rows)
        sums = tallies([row.pk for row in rows], at=timezone.now())
        lines = [{"row": row, "tally": sums[row.pk]} for row in rows]
        total = sum(sums.values(), Tally())
        shown: Mapping[str, Any] = {"id": self.parent_value, "total": total, "lines": lines}
        return Response(self.shape(shown).data)


class StudentAttendanceViewSet(_StandingsViewSet):
    """How often a student was there, section by section."""

    parent_field = "student"
    filterset_class = StudentAttendanceFilter
    shape = serializers.StudentAttendance
    order = ("-term__starts_on", "course__code", "pk")
    loads = ("student", "section__course_version", "course", "term")


class SectionAttendanceViewSet(_StandingsViewSet):
    """How often everybody in a section was there, by name."""

    parent_field = "section"
    shape = serializers.SectionAttendance
    order = ("student__person__last_name", "student__person__first_name", "pk")
    loads = ("student__person",)


class EnrollmentAttendanceViewSet(BaseViewSet[Enrollment]):
    """Every class of a section, and what it comes to for one student."""

    queryset = Standing.objects.exclude(status="pending")
    discloses = ATTENDANCE
    list_serializer_class = EnrollmentSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return serializers.EnrollmentAttendance

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Explain a percentage class by class."""
        row, now = self.get_object(), timezone.now()
        self.put_on_record([row])
        found = units(row.pk, at=now)
        tally = tallies([row.pk], at=now)[row.pk]
        shown = {"row": row, "tally": tally, "units": found, "trend": trend_of(found)}
        return Response(serializers.EnrollmentAttendance(shown).data)
