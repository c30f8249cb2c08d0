"""HTTP for marks, shortages and decisions as tables, to be opened in a spreadsheet or imported again."""

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from attendance import exports
from attendance.api.eligibility_serializers import EligibilityDecisionSerializer
from attendance.api.record_views import AttendanceRecordSerializer
from attendance.api.shortage_views import ShortageSerializer
from attendance.models import AttendanceRecord, AttendanceSummary, EligibilityDecision
from attendance.narrowing import AttendanceExportFilter, EligibilityDecisionFilter, ShortageFilter
from core.api.tables import InFormat, TableViewSet


class RecordsAsAsked(InFormat, AttendanceExportFilter):
    class Meta(AttendanceExportFilter.Meta):
        fields = [*AttendanceExportFilter.Meta.fields, "format"]


class AttendanceExportViewSet(TableViewSet[AttendanceRecord]):
    """What students were marked with, of a section or a term, in the columns that an import reads."""

    table = exports.Records()
    queryset = table.queryset
    discloses = table.discloses
    list_serializer_class = AttendanceRecordSerializer
    filterset_class = RecordsAsAsked
    action_permissions = {"export": table.permission}
    file_name = "attendance"

    def export(self, request: Request) -> HttpResponseBase:
        """Download the marks of a section or a term as CSV or XLSX, in the order in which the sessions began."""
        return self.download(request)


class ShortagesAsAsked(InFormat, ShortageFilter):
    class Meta(ShortageFilter.Meta):
        fields = [*ShortageFilter.Meta.fields, "format"]


class ShortageExportViewSet(TableViewSet[AttendanceSummary]):
    """Who falls short in a section or a term, with what each may still miss."""

    table = exports.Shortages()
    queryset = table.queryset
    discloses = table.discloses
    list_serializer_class = ShortageSerializer
    filterset_class = ShortagesAsAsked
    action_permissions = {"export": table.permission}
    searchable = True
    file_name = "shortages"

    def export(self, request: Request) -> HttpResponseBase:
        """Download who falls short in a section or a term as CSV or XLSX."""
        return self.download(request)


class DecisionsAsAsked(InFormat, EligibilityDecisionFilter):
    class Meta(EligibilityDecisionFilter.Meta):
        fields = [*EligibilityDecisionFilter.Meta.fields, "format"]


class DecisionExportViewSet(TableViewSet[EligibilityDecision]):
    """What was decided about admission in a section or a term, without why a shortage was condoned."""

    table = exports.Decisions()
    queryset = table.queryset
    discloses = table.discloses
    list_serializer_class = EligibilityDecisionSerializer
    filterset_class = DecisionsAsAsked
    action_permissions = {"export": table.permission}
    searchable = True
    file_name = "decisions"

    def export(self, request: Request) -> HttpResponseBase:
        """Download what was decided in a section or a term as CSV or XLSX, in the order in which it was."""
        return self.download(request)
