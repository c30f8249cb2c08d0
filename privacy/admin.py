"""Administration pages for what was asked about the data of people."""

from typing import Any

from django import forms
from django.contrib import admin

from core.admin import ServiceAdmin
from core.crud import Crud
from core.recording import Disclosure
from privacy import services
from privacy.models import SubjectExport


class ExportForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Whose data is asked for, and what for."""

    class Meta:
        model = SubjectExport
        fields = ["person", "reason"]


@admin.register(SubjectExport)
class SubjectExportAdmin(ServiceAdmin):
    """Asks for exports and shows how they stand; whoever asked fetches the file over HTTP."""

    discloses = Disclosure("subject export", "person_id")
    form = ExportForm
    crud = Crud(create=services.request_export, delete=services.discard_export)
    list_display = ("person", "requested_by", "state", "rows", "created_at", "expires_at", "downloaded_at")
    list_filter = ("state",)
    list_select_related = ("person", "requested_by")
    search_fields = ("person__search_text",)
    autocomplete_fields = ("person",)
    ordering = ("-created_at",)
    shown = (
        "person", "requested_by", "reason", "state", "failure", "sha256", "size", "rows", "ready_at", "expires_at",
        "downloaded_at", "id", "created_at", "updated_at",
    )  # fmt: skip

    def get_fields(self, request: Any, obj: Any = None) -> Any:
        return ("person", "reason") if obj is None else self.shown

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        return () if obj is None else self.shown
