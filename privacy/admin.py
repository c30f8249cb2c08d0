"""Administration pages for what was asked about the data of people."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils import timezone

from core.admin import ServiceAdmin
from core.admin_history import row_action
from core.crud import Crud
from core.recording import Disclosure
from privacy import services
from privacy.models import ErasureRequest, LegalHold, SubjectExport


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


def _approve(erasure: ErasureRequest, *, by: Any) -> None:
    services.approve_erasure(erasure, by=by, at=timezone.now())


def _release(hold: LegalHold, *, by: Any) -> None:
    services.release_hold(hold, by=by, at=timezone.now(), reason="Released on the administration pages")


class AskedAdmin(ServiceAdmin):
    """What is asked for with a person and a reason, and stays as it was asked for."""

    asked = ("person", "reason")
    shown: ClassVar[tuple[str, ...]] = ()
    search_fields = ("person__search_text",)
    autocomplete_fields = ("person",)
    ordering = ("-created_at",)

    def get_fields(self, request: Any, obj: Any = None) -> Any:
        return self.asked if obj is None else self.shown

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        return () if obj is None else self.shown


@admin.register(ErasureRequest)
class ErasureRequestAdmin(AskedAdmin):
    discloses = Disclosure("erasure request", "person_id")
    crud = Crud(create=services.request_erasure)
    list_display = ("person", "state", "requested_by", "decided_by", "created_at", "erased_at")
    list_filter = ("state",)
    list_select_related = ("person", "requested_by", "decided_by")
    actions = (row_action("approve", "Approve: erase the person", _approve),)
    shown = (
        "person", "requested_by", "reason", "state", "decided_by", "decided_at", "erased_at", "failure", "counts",
        "id", "created_at", "updated_at",
    )  # fmt: skip

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return obj is None and self._permits(request, "change")


@admin.register(LegalHold)
class LegalHoldAdmin(AskedAdmin):
    discloses = Disclosure("legal hold", "person_id")
    crud = Crud(create=services.place_hold)
    list_display = ("person", "reason", "placed_by", "placed_at", "released_at")
    list_select_related = ("person", "placed_by")
    actions = (row_action("release", "Release the hold", _release),)
    shown = (
        "person", "reason", "placed_by", "placed_at", "released_by", "released_at", "id", "created_at", "updated_at",
    )  # fmt: skip

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return obj is None and self._permits(request, "change")
