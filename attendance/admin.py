"""Administration pages for dated sessions, what students can be marked with, and what they were."""

from django.contrib import admin

from attendance import services
from attendance.admin_calendars import CalendarFeedAdmin
from attendance.admin_check_in import CheckInEventAdmin
from attendance.admin_eligibility import CondonationAdmin, EligibilityDecisionAdmin
from attendance.admin_marking import RosterAdmin
from attendance.admin_policies import AttendancePolicyAdmin
from attendance.admin_readers import CredentialAdmin, PunchAdmin, ReaderAdmin
from attendance.admin_shortages import AttendanceSummaryAdmin
from attendance.admin_substitutions import SubstitutionAdmin
from attendance.excuse_admin import ExcuseRequestAdmin
from attendance.models import AttendanceCode, AttendanceRecord, ClassSession
from core.admin import ServiceAdmin
from core.crud import Crud
from core.recording import Disclosure

__all__ = [
    "AttendanceCodeAdmin",
    "AttendancePolicyAdmin",
    "AttendanceRecordAdmin",
    "AttendanceSummaryAdmin",
    "CalendarFeedAdmin",
    "CheckInEventAdmin",
    "ClassSessionAdmin",
    "CondonationAdmin",
    "CredentialAdmin",
    "EligibilityDecisionAdmin",
    "ExcuseRequestAdmin",
    "PunchAdmin",
    "ReaderAdmin",
    "RosterAdmin",
    "SubstitutionAdmin",
]


@admin.register(ClassSession)
class ClassSessionAdmin(ServiceAdmin):
    """The classes of each day, to be read; they come from the timetable, and the API moves and cancels them."""

    list_display = ("section", "local_date", "starts_at", "ends_at", "room", "substitute", "status", "marking")
    list_filter = ("status", "marking")
    list_select_related = ("section__course", "section__term", "room", "substitute__person")
    search_fields = ("section__course__code", "section__code", "room__code")


@admin.register(AttendanceCode)
class AttendanceCodeAdmin(ServiceAdmin):
    crud = Crud(create=services.create_code, update=services.update_code, delete=services.delete_code)
    list_display = ("code", "label", "weight", "is_exempt", "is_active", "order")
    list_filter = ("is_active", "is_exempt")
    search_fields = ("code", "label")


@admin.register(AttendanceRecord)
class AttendanceRecordAdmin(ServiceAdmin):
    """What students were marked with, to be read: the sheets of their sessions are where they are marked."""

    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_display = ("student_no", "session", "local_date", "code", "minutes_late", "source", "marked_by", "marked_at")
    list_filter = ("source", "code")
    list_select_related = (
        "enrollment__student__person", "session__section__course", "session__section__term", "code", "marked_by",
    )  # fmt: skip
    search_fields = ("=enrollment__student__student_no", "=session__section__course__code")
    ordering = ("-local_date", "-pk")
    fields = (
        "student_no", "session", "local_date", "code", "minutes_late", "source", "marked_by", "marked_at", "client_id",
        "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="student")
    def student_no(self, record: AttendanceRecord) -> str:
        return str(record.enrollment.student)
