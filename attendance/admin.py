"""Administration pages for dated sessions, and for what students can be marked with."""

from django.contrib import admin

from attendance import services
from attendance.models import AttendanceCode, ClassSession
from core.admin import ServiceAdmin
from core.crud import Crud


@admin.register(ClassSession)
class ClassSessionAdmin(ServiceAdmin):
    """The classes of each day, to be read; they come from the timetable, and the API moves and cancels them."""

    list_display = ("section", "local_date", "starts_at", "ends_at", "room", "status", "marking")
    list_filter = ("status", "marking")
    list_select_related = ("section__course", "section__term", "room")
    search_fields = ("section__course__code", "section__code", "room__code")


@admin.register(AttendanceCode)
class AttendanceCodeAdmin(ServiceAdmin):
    crud = Crud(create=services.create_code, update=services.update_code, delete=services.delete_code)
    list_display = ("code", "label", "weight", "is_exempt", "is_active", "order")
    list_filter = ("is_active", "is_exempt")
    search_fields = ("code", "label")
