"""Administration pages for dated sessions."""

from django.contrib import admin

from attendance.models import ClassSession
from core.admin import ServiceAdmin


@admin.register(ClassSession)
class ClassSessionAdmin(ServiceAdmin):
    """The classes of each day, to be read; they come from the timetable, and the API moves and cancels them."""

    list_display = ("section", "local_date", "starts_at", "ends_at", "room", "status")
    list_filter = ("status",)
    list_select_related = ("section__course", "section__term", "room")
    search_fields = ("section__course__code", "section__code", "room__code")
