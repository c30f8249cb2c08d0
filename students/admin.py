"""Administration pages for students and their programs."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_parts import PERSON_FIELDS, PartAdmin, PartForm
from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline, status_action
from core.crud import Crud
from core.recording import Disclosure
from departments.models import Program
from students import services
from students.models import (
    GuardianLink,
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    ProgramEnrollmentStatus,
    Student,
    StudentStatus,
    StudentStatusEvent,
)

STEP = ("happened_at", "from_status", "to_status", "actor", "reason")


class StudentForm(PartForm):
    """A student, the person they are, and the program they count to."""

    student_no = forms.CharField(
        label="Student number", max_length=64, required=False, help_text="Leave empty to have the next one issued."
    )
    program = forms.ModelChoiceField(
        Program.objects.all(),
        required=False,
        help_text="Another program takes the place of the present one, which the student is withdrawn from.",
    )
    cohort = forms.CharField(max_length=32, required=False)

    class Meta:
        model = Student
        fields = [
            "student_no", "status", "department", "advisor", "admitted_on", "preferred_contact", "home_address",
            "accommodation_note", "directory_opt_out",
        ]  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        primary: ProgramEnrollment | None = getattr(self.instance, "primary_enrollment", None)
        if primary is not None:
            self.initial.setdefault("program", primary.program_id)
            self.initial.setdefault("cohort", primary.cohort)


class StatusHistoryInline(ReadOnlyInline):
    model = StudentStatusEvent
    related = ("actor",)
    fields = STEP
    ordering = ("happened_at",)


class ProgramEnrollmentInline(ReadOnlyInline):
    model = ProgramEnrollment
    related = ("student", "program", "start_term")
    fields = ("program", "cohort", "start_term", "is_primary", "status")
    ordering = ("created_at",)
    show_change_link = True


@admin.register(Student)
class StudentAdmin(PartAdmin):
    discloses = Disclosure("student record", "person_id")
    form = StudentForm
    crud = Crud(create=services.create_student, update=services.update_student, delete=services.delete_student)
    service_arguments = frozenset({*PERSON_FIELDS, "program", "cohort"})
    inlines: ClassVar = (ProgramEnrollmentInline, StatusHistoryInline)
    list_display = ("student_no", "name", "status", "department", "program", "cohort", "admitted_on")
    list_filter = ("status",)
    search_fields = ("student_no",)
    number = "student_no"
    ordering = ("student_no",)
    autocomplete_fields = ("department", "advisor")
    actions = tuple(status_action(status, services.change_status) for status in StudentStatus)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        loaded: QuerySet[Any] = rows.for_api()
        return loaded

    @admin.display
    def program(self, student: Any) -> str:
        return str(student.primary_enrollment.program) if hasattr(student, "primary_enrollment") else ""

    @admin.display
    def cohort(self, student: Any) -> str:
        return str(student.primary_enrollment.cohort) if hasattr(student, "primary_enrollment") else ""


class ProgramEnrollmentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A program enrolment; whether it is the primary one is left to the service unless it is said."""

    class Meta:
        model = ProgramEnrollment
        fields = ["student", "program", "cohort", "start_term", "is_primary", "status"]


class ProgramHistoryInline(ReadOnlyInline):
    model = ProgramEnrollmentEvent
    related = ("actor",)
    fields = STEP
    ordering = ("happened_at",)


@admin.register(ProgramEnrollment)
class ProgramEnrollmentAdmin(ServiceAdmin):
    discloses = Disclosure("program enrollment", "student.person_id")
    form = ProgramEnrollmentForm
    crud = Crud(
        create=services.enrol_in_program,
        update=services.update_program_enrollment,
        delete=services.delete_program_enrollment,
    )
    inlines: ClassVar = (ProgramHistoryInline,)
    list_display = ("student", "program", "cohort", "is_primary", "status")
    list_filter = ("status", "is_primary")
    list_select_related = ("student", "program")
    search_fields = ("student__student_no", "program__code")
    autocomplete_fields = ("student", "program")
    actions = tuple(status_action(status, services.change_program_status) for status in ProgramEnrollmentStatus)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else ["student", "program", "status", *readonly]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            services.hold_student_of(obj.pk)
        super().save_model(request, obj, form, change)


@admin.register(GuardianLink)
class GuardianLinkAdmin(ServiceAdmin):
    """Who is told about whom. Links are made and ended through the API, where students have their say."""

    discloses = Disclosure("guardian link", "student.person_id")
    list_display = ("person", "student", "relation", "valid", "verified_at", "consented_at")
    list_filter = ("relation",)
    list_select_related = ("person", "student")
    search_fields = ("student__student_no",)
    readonly_fields = ("student", "person", *ServiceAdmin.readonly_fields)
