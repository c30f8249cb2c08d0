"""Administration pages for faculty."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget

from accounts.admin_parts import PERSON_FIELDS, PartAdmin, PartForm
from core.admin_history import ReadOnlyInline, status_action
from core.crud import Crud
from faculty import services
from faculty.models import Faculty, FacultyAppointment, FacultyStatus, FacultyStatusEvent


class FacultyForm(PartForm):
    """A member of faculty and the person they are, without what is protected about a person."""

    birth_date = None
    gender = None
    nationality = None
    appointed_on = forms.DateField(
        required=False,
        widget=AdminDateWidget(),
        help_text="The first day of the rank and the department; today if left empty.",
    )

    class Meta:
        model = Faculty
        fields = ["employee_no", "rank", "employment_type", "department", "status", "fte", "salary"]


class AppointmentInline(ReadOnlyInline):
    model = FacultyAppointment
    related = ("department",)
    fields = ("department", "rank", "valid")
    ordering = ("starts_on",)


class StatusHistoryInline(ReadOnlyInline):
    model = FacultyStatusEvent
    related = ("actor",)
    fields = ("happened_at", "from_status", "to_status", "actor", "reason")
    ordering = ("happened_at",)


@admin.register(Faculty)
class FacultyAdmin(PartAdmin):
    form = FacultyForm
    crud = Crud(create=services.create_faculty, update=services.update_faculty, delete=services.delete_faculty)
    service_arguments = frozenset({*PERSON_FIELDS, "appointed_on"})
    inlines: ClassVar = (AppointmentInline, StatusHistoryInline)
    list_display = ("employee_no", "name", "rank", "department", "employment_type", "status")
    list_filter = ("status", "rank", "employment_type")
    list_select_related = ("person", "department")
    search_fields = ("employee_no",)
    number = "employee_no"
    ordering = ("employee_no",)
    autocomplete_fields = ("department",)
    actions = tuple(status_action(status, services.change_status) for status in FacultyStatus)
