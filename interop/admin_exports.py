"""The administration page of tables that were asked for; they are asked for and fetched over HTTP."""

from typing import ClassVar

from django.contrib import admin

from core.admin import ServiceAdmin
from interop.models import ExportJob


@admin.register(ExportJob)
class ExportJobAdmin(ServiceAdmin):
    """Who asked for which table, and how it stands; to be read."""

    list_display = ("kind", "format", "requested_by", "state", "rows", "created_at", "expires_at", "downloaded_at")
    list_filter = ("state", "kind")
    list_select_related = ("requested_by",)
    ordering = ("-created_at", "-pk")
    fields: ClassVar = (
        "kind", "format", "filters", "requested_by", "state", "failure", "rows", "rows_total", "size", "sha256",
        "started_at", "ready_at", "expires_at", "downloaded_at", "id", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = fields
