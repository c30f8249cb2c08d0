"""The administration page of who falls short: by term, searched, and as a chart of how far."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, IntegerField, QuerySet
from django.db.models.functions import Floor, Least
from django.http import HttpRequest

from attendance.models import AttendanceSummary
from attendance.services.eligibility import EXAMINED
from core.admin import ServiceAdmin
from core.admin_filters import UsualFilter
from core.recording import Disclosure
from enrollment.models import EnrollmentStatus

# Of the chart, in its own units.
STEP, HEIGHT, MARGIN = 48, 96, 20


class ThoseThere(UsualFilter):
    """Whoever is in the section, unless somebody asks for those who have left, or for all."""

    title = "enrolment"
    parameter_name = "enrolment"
    usual = "In the section"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("all", "All"), *EnrollmentStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AttendanceSummary]) -> QuerySet[AttendanceSummary]:
        if self.value() == "all":
            return queryset
        chosen = [self.value()] if self.value() in EnrollmentStatus.values else EXAMINED
        return queryset.filter(enrollment__status__in=chosen)


@admin.register(AttendanceSummary)
class AttendanceSummaryAdmin(ServiceAdmin):
    """Who falls short, to be read; marks and policies are where it is decided."""

    change_list_template = "admin/attendance/attendancesummary/change_list.html"
    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_display = ("student", "status", "section", "term", "percent", "counted", "policy")
    list_filter = ("term", "section__course__department")
    linked_lookups = frozenset({ThoseThere.parameter_name})
    list_select_related = (
        "enrollment__student__person", "section__course", "section__term", "term", "policy__department",
        "policy__program", "policy__course", "policy__section__course", "policy__section__term",
    )  # fmt: skip
    search_fields = ("enrollment__student__student_no",)
    ordering = ("percent", "pk")
    fields = (
        "student", "status", "section", "term", "percent", "counted", "exempt", "attended", "late", "policy",
        "updated_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="student")
    def student(self, summary: AttendanceSummary) -> str:
        return str(summary.enrollment.student)

    @admin.display(description="enrolment")
    def status(self, summary: AttendanceSummary) -> str:
        return str(EnrollmentStatus(summary.enrollment.status).label)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [ThoseThere, *super().get_list_filter(request)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(is_short=True)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show with the list how many of all that it found lie in which ten per cent."""
        response: Any = super().changelist_view(request, {**(extra_context or {}), "title": "Who falls short"})
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            response.context_data["chart"] = _chart(shown.queryset)
        return response


def _chart(rows: Any) -> dict[str, Any]:
    """Return the bars of a chart, one for every ten per cent, and its measures."""
    # Where courses are judged together, one of them may have no percentage, or a full one.
    lowest = Least(Floor(F("percent") / 10), 9, output_field=IntegerField())
    by_band = rows.order_by().filter(percent__isnull=False).annotate(band=lowest).values("band")
    counts = dict(by_band.annotate(students=Count("pk")).values_list("band", "students"))
    most = max(counts.values(), default=0)
    bars = []
    for band in range(10):
        students = counts.get(band, 0)
        height = round(HEIGHT * students / most) if most else 0
        bars.append(
            {
                "from": band * 10, "to": band * 10 + 10, "students": students, "x": band * STEP + 4,
                "y": MARGIN + HEIGHT - height, "height": height, "middle": band * STEP + STEP // 2,
            }
        )  # fmt: skip
    return {
        "bars": bars, "width": 10 * STEP, "height": HEIGHT + 2 * MARGIN, "bar": STEP - 8,
        "foot": HEIGHT + 2 * MARGIN - 4, "base": MARGIN + HEIGHT, "total": sum(counts.values()),
    }  # fmt: skip
