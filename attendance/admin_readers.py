"""Administration pages for readers, for the credentials by which they know students, and for what they have seen."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from attendance import services
from attendance.models import Credential, Punch, Reader
from core.admin import ServiceAdmin
from core.crud import Crud
from core.recording import Disclosure


@admin.register(Reader)
class ReaderAdmin(ServiceAdmin):
    crud = Crud(create=services.create_reader, update=services.update_reader, delete=services.delete_reader)
    list_display = ("code", "name", "room", "account", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("room__building", "account")
    search_fields = ("code", "name", "room__code")
    autocomplete_fields = ("room", "account")


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Whose credential it is, and what a reader reads of it, which is shown to nobody again."""

    credential = forms.CharField(max_length=200, strip=False, help_text="As the reader reports it.")

    class Meta:
        model = Credential
        fields = ["student", "label"]


@admin.register(Credential)
class CredentialAdmin(ServiceAdmin):
    """Cards of students: given to them and taken away, never changed."""

    form = CredentialForm
    crud = Crud(create=services.create_credential, delete=services.delete_credential)
    service_arguments = frozenset({"credential"})
    discloses = Disclosure("attendance", "student.person_id")
    list_display = ("student", "label", "created_at")
    list_select_related = ("student__person",)
    search_fields = ("=student__student_no",)
    autocomplete_fields = ("student",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("student", "label", "credential") if obj is None else ("student", "label", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("student", "label", "created_at")


@admin.register(Punch)
class PunchAdmin(ServiceAdmin):
    """What readers have seen and what came of it, to be read."""

    discloses = Disclosure("attendance", "student.person_id")
    list_display = ("student", "reader", "at", "session", "outcome")
    list_filter = ("outcome",)
    list_select_related = (
        "student__person", "reader", "session__section__course", "session__section__term",
    )  # fmt: skip
    search_fields = ("=student__student_no", "=reader__code")
    ordering = ("-at", "-pk")
    fields = ("student", "reader", "external_event_id", "at", "session", "outcome", "created_at")
    readonly_fields = fields
