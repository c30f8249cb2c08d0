"""Administration pages for excuses."""

from typing import ClassVar

from django.contrib import admin

from attendance.models import ExcuseEvent, ExcuseRequest
from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline
from core.recording import Disclosure


class ExcuseEventInline(ReadOnlyInline):
    model = ExcuseEvent
    related = ("actor",)
    fields = ("happened_at", "from_status", "to_status", "actor", "reason")
    ordering = ("happened_at",)


@admin.register(ExcuseRequest)
class ExcuseRequestAdmin(ServiceAdmin):
    """Excuses, to be read; the API decides about them."""

    discloses = Disclosure("excuse", "student.person_id")
    inlines: ClassVar = (ExcuseEventInline,)
    list_display = ("student", "period", "kind", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("student__person",)
    search_fields = ("student__search_text",)
