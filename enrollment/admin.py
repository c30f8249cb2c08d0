"""Administration pages for enrolments."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline, status_action
from core.crud import Crud
from core.errors import OutOfScopeError
from core.recording import Disclosure
from core.visibility import Actor
from enrollment import services
from enrollment.models import Enrollment, EnrollmentEvent, EnrollmentStatus
from enrollment.selectors import may_administer

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class EventInline(ReadOnlyInline):
    model = EnrollmentEvent
    related = ("actor",)
    fields = ("happened_at", "from_status", "to_status", "overridden", "actor", "reason")


def _require_in_charge(enrollment: Enrollment, by: Actor) -> None:
    """Refuse whoever manages an enrolment for being its student alone: they drop or withdraw, no more."""
    if not may_administer(by, enrollment.student, enrollment.section):
        raise OutOfScopeError


def _cancel(enrollment: Enrollment, *, status: str, by: Actor, at: datetime) -> None:
    _require_in_charge(enrollment, by)
    services.cancel(enrollment, by=by, at=at)


def _confirm(enrollment: Enrollment, *, status: str, by: Actor, at: datetime) -> None:
    _require_in_charge(enrollment, by)
    services.confirm(enrollment, by=by, at=at)


class EnrollForm(_ModelForm):
    """A student and a section; the credits are those of the course unless given."""

    credits = forms.DecimalField(max_digits=5, decimal_places=2, min_value=0, required=False)
    override = forms.BooleanField(required=False, help_text="Waive the rules that can be waived.")
    reason = forms.CharField(required=False, max_length=2000)

    class Meta:
        model = Enrollment
        fields = ["student", "section", "grade_basis", "credits"]


@admin.register(Enrollment)
class EnrollmentAdmin(ServiceAdmin):
    discloses = Disclosure("enrollment", "student.person_id")
    crud = Crud(create=services.enroll, update=services.update_enrollment, delete=services.drop)
    service_arguments = frozenset({"override", "reason"})
    list_display = ("student", "section", "term", "status", "credits", "enrolled_at")
    list_filter = ("status", "term", "source")
    list_select_related = ("student", "section__course", "section__term", "course", "term")
    search_fields = ("student__student_no", "section__course__code")
    autocomplete_fields = ("student", "section")
    settled = (
        "student", "section", "course", "term", "status", "attempt_no", "result", "enrolled_at", "dropped_at", "source",
    )  # fmt: skip
    inlines = (EventInline,)
    actions = (status_action(EnrollmentStatus.ENROLLED, _confirm), status_action(EnrollmentStatus.CANCELLED, _cancel))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": EnrollForm}), **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ServiceAdmin.readonly_fields if obj is None else (*self.settled, *ServiceAdmin.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            _require_in_charge(obj, cast("Actor", request.user))
        if form.cleaned_data.get("credits") is None:
            form.cleaned_data.pop("credits", None)
        super().save_model(request, obj, form, change)
