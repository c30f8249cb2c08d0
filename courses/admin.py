"""Administration pages for the catalogue, the offer and the timetable."""

from calendar import day_name
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget, AutocompleteSelectMultiple
from django.http import HttpRequest

from core.admin import ServiceAdmin
from core.admin_choices import RowsField
from core.admin_history import ReadOnlyInline, status_action
from core.crud import Crud
from core.visibility import visible
from courses import services
from courses.models import (
    Course,
    CourseVersion,
    Meeting,
    MeetingSection,
    Requisite,
    Section,
    SectionInstructor,
    SectionStatus,
    SectionStatusEvent,
)

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class VersionInline(ReadOnlyInline):
    model = CourseVersion
    related = ("course",)
    fields = ("version_no", "title", "credits", "credits_max", "is_repeatable", "valid")


class CourseForm(_ModelForm):
    """A course together with what it is at present."""

    title = forms.CharField(max_length=255)
    description = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea)
    credits = forms.DecimalField(max_digits=5, decimal_places=2, min_value=0)
    credits_max = forms.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, required=False, help_text="Only of a course with variable credit."
    )
    is_repeatable = forms.BooleanField(required=False)

    class Meta:
        model = Course
        fields = ["code", "department", "level", "is_active"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:
            version = self.instance.current_version
            for name in services.VersionValues.__annotations__:
                self.initial.setdefault(name, getattr(version, name))


@admin.register(Course)
class CourseAdmin(ServiceAdmin):
    form = CourseForm
    crud = Crud(create=services.create_course, update=services.update_course, delete=services.delete_course)
    service_arguments = frozenset(services.VersionValues.__annotations__)
    list_display = ("code", "title", "credits", "department", "level", "is_active")
    list_filter = ("level", "is_active")
    list_select_related = ("department", "current_version")
    search_fields = ("code", "current_version__title")
    autocomplete_fields = ("department",)
    inlines = (VersionInline,)

    @admin.display(ordering="current_version__title")
    def title(self, course: Course) -> str:
        return course.current_version.title

    @admin.display(ordering="current_version__credits")
    def credits(self, course: Course) -> str:
        return str(course.current_version.credits)


@admin.register(CourseVersion)
class CourseVersionAdmin(ServiceAdmin):
    """What a course was, is or will be, to be read and to be chosen from; it changes on the page of its course."""

    list_display = ("course", "version_no", "title", "credits", "valid")
    list_select_related = ("course",)
    search_fields = ("course__code", "title")
    ordering = ("course__code", "version_no")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Requisite)
class RequisiteAdmin(ServiceAdmin):
    crud = Crud(create=services.create_requisite, update=services.update_requisite, delete=services.delete_requisite)
    list_display = ("course_version", "kind", "expr")
    list_filter = ("kind",)
    list_select_related = ("course_version__course",)
    search_fields = ("course_version__course__code",)
    autocomplete_fields = ("course_version",)


class InstructorInline(ReadOnlyInline):
    model = SectionInstructor
    related = ("faculty", "section__course", "section__term")
    fields = ("faculty", "role", "share")


class MeetingInline(ReadOnlyInline):
    model = MeetingSection
    related = ("meeting", "section__course", "section__term")
    fields = ("meeting",)


class StatusEventInline(ReadOnlyInline):
    model = SectionStatusEvent
    related = ("actor",)
    fields = ("happened_at", "from_status", "to_status", "actor", "reason")


@admin.register(Section)
class SectionAdmin(ServiceAdmin):
    crud = Crud(create=services.create_section, update=services.update_section, delete=services.delete_section)
    list_display = ("course", "code", "term", "status", "capacity", "enrolled_count")
    list_filter = ("status", "mode", "term")
    list_select_related = ("course", "term")
    search_fields = ("course__code", "code")
    autocomplete_fields = ("course", "term", "campus")
    exclude = ("course_version",)
    readonly_fields = ("status", "enrolled_count", "held_count", "waitlisted_count", *ServiceAdmin.readonly_fields)
    inlines = (InstructorInline, MeetingInline, StatusEventInline)
    actions = tuple(status_action(status, services.move_section) for status in SectionStatus if status != "planned")


class SectionInline(ReadOnlyInline):
    model = MeetingSection
    related = ("meeting", "section__course", "section__term")
    fields = ("section",)


WEEKDAYS = [(number, str(name)) for number, name in enumerate(day_name, start=1)]


class MeetingForm(_ModelForm):
    """When and where sections meet."""

    weekday = forms.TypedChoiceField(choices=WEEKDAYS, coerce=int)

    class Meta:
        model = Meeting
        fields = ["weekday", "starts_at", "ends_at", "room", "conflict_waived", "note"]


class MeetingOfSectionsForm(MeetingForm):
    """A meeting together with the sections that meet, on the days of their term unless it says on which."""

    starts_on = forms.DateField(required=False, widget=AdminDateWidget, help_text="Empty: the first day of the term.")
    ends_on = forms.DateField(required=False, widget=AdminDateWidget, help_text="Empty: the last day of the term.")

    def clean(self) -> dict[str, Any]:
        """Return the arguments of the service, which takes both days or neither."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        days = {name: cleaned.get(name) for name in ("starts_on", "ends_on")}
        missing = [name for name, day in days.items() if day is None and name not in self.errors]
        if len(missing) == 1:
            self.add_error(missing[0], "The first day and the last are given together, or neither.")
        return {**cleaned, "dates": None if missing else days}


def _sections(request: HttpRequest) -> RowsField:
    return RowsField(
        visible(Section.objects.select_related("course", "term"), request.user, to="manage"),
        widget=AutocompleteSelectMultiple(Meeting._meta.get_field("sections"), admin.site),
        help_text="Those that meet together; you are in charge of each of them.",
    )


@admin.register(Meeting)
class MeetingAdmin(ServiceAdmin):
    # A meeting stays that of its sections here; which meet together is changed in the API.
    form = MeetingForm
    crud = Crud(create=services.create_meeting, update=services.update_meeting, delete=services.delete_meeting)
    service_arguments = frozenset({"sections"})
    list_display = ("weekday", "starts_at", "ends_at", "room", "dates", "conflict_waived")
    list_filter = ("weekday",)
    list_select_related = ("room",)
    search_fields = ("room__code", "note")
    autocomplete_fields = ("room",)
    exclude = ("sections",)
    readonly_fields = ("dates", *ServiceAdmin.readonly_fields)
    inlines = (SectionInline,)
    added = (
        "sections", "weekday", "starts_at", "ends_at", "starts_on", "ends_on", "room", "conflict_waived", "note",
    )  # fmt: skip

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        if obj is None:
            sections = {"sections": _sections(request)}
            options["form"] = type("MeetingOfSectionsForm", (MeetingOfSectionsForm,), sections)
        return super().get_form(request, obj, change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.added if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else super().get_readonly_fields(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else self.inlines

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            services.lock_timetables(meeting_ids=[obj.pk])
        super().save_model(request, obj, form, change)
