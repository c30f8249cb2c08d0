"""The administration page of who may sit the examination, from which shortages are condoned, with a reason for each."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from attendance import services
from attendance.models import Condonation, EligibilityDecision
from core.admin import ServiceAdmin
from core.admin_history import take_step
from core.customfields.forms import CustomFieldsFormMixin, with_custom_fields
from core.customfields.selectors import definitions_for
from core.recording import Disclosure, recorder
from enrollment.models import EnrollmentStatus

DECIDE = "attendance.decide_eligibilitydecision"


class ReasonForm(forms.Form):
    """Why; the student reads it, and those who decide."""

    reason = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))

    def arguments(self) -> dict[str, Any]:
        """Return what was typed as the service takes it."""
        return dict(self.cleaned_data)


class CondoneForm(CustomFieldsFormMixin, ReasonForm):
    """Why, and what it rests on: `form_to_condone` adds the custom fields of condonations, documents among them."""

    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What it rests on, such as a document.",
    )  # fmt: skip

    class Meta:
        model = Condonation
        fields: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        typed = {name: self.cleaned_data[name] for name in ("reason", "note")}
        return {**typed, "custom_fields": self.custom_field_values()}


def form_to_condone(request: HttpRequest) -> type[CondoneForm]:
    """Return the form with every field: whoever condones knows what it rests on, also where that is protected."""
    return with_custom_fields(CondoneForm, definitions_for(request, Condonation), actor=request.user)


def _with_reason(
    name: str, description: str, form_for: Callable[[HttpRequest], type[ReasonForm]], service: Callable[..., Any]
) -> Any:
    """Return the action that asks for a reason and then takes a step with each chosen row."""

    @admin.action(description=description, permissions=["decide"])
    def take(pages: Any, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        form = form_for(request)(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return pages.ask(request, queryset, form, name, description)  # type: ignore[no-any-return]  # untyped pages

        def step(row: EligibilityDecision, *, by: Any) -> None:
            service(row, by=by, at=timezone.now(), **form.arguments())
            recorder().administered(action=name, subject=row)

        taken = take_step(pages, request, queryset, step)
        level = messages.SUCCESS if taken else messages.WARNING
        pages.message_user(request, f"{description}: {taken}", level)
        return None

    take.__name__ = name
    return take


@admin.register(EligibilityDecision)
class EligibilityDecisionAdmin(ServiceAdmin):
    """Decisions about admission, to be read; the API makes them, and those that are short are condoned here as well."""

    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_display = (
        "student", "status", "section", "outcome", "percent", "attended", "counted", "decided_at", "superseded_at",
    )  # fmt: skip
    list_filter = ("outcome", "term", "superseded_at", "enrollment__status")
    linked_lookups = frozenset({"superseded_at__gte", "superseded_at__lt"})
    list_select_related = (
        "enrollment__student__person", "section__course", "section__term", "term", "decided_by", "policy__department",
        "policy__program", "policy__course", "policy__section__course", "policy__section__term",
    )  # fmt: skip
    search_fields = ("enrollment__student__student_no",)
    ordering = ("-decided_at", "-pk")
    actions = (
        _with_reason("condone", "Condone the shortage", form_to_condone, services.condone_shortage),
        _with_reason("withdraw", "Withdraw the condonation", lambda request: ReasonForm, services.withdraw_condonation),
    )
    fields: ClassVar = (
        "student", "section", "term", "outcome", "attended", "counted", "exempt", "unmarked", "percent", "policy",
        "policy_version", "basis", "rounding", "threshold", "condonation_floor", "condonation", "condoned_from",
        "reason", "note", "decided_by", "decided_at", "superseded_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may decide, for `permissions` of the actions."""
        return bool(request.user.has_perm(DECIDE))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = self.hidden_fields(request, obj) if obj is not None else []
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    @admin.display(description="student")
    def student(self, decision: EligibilityDecision) -> str:
        return str(decision.enrollment.student)

    @admin.display(description="enrolment")
    def status(self, decision: EligibilityDecision) -> str:
        return str(EnrollmentStatus(decision.enrollment.status).label)

    def ask(
        self, request: HttpRequest, rows: QuerySet[Any], form: forms.Form, name: str, description: str
    ) -> TemplateResponse:
        """Show the chosen rows, and ask for the reason."""
        chosen = list(rows)
        self.put_on_record(request, chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": description,
            "opts": self.opts,
            "rows": chosen,
            "form": form,
            "media": self.media + form.media,
            "action": name,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/attendance/eligibilitydecision/reason.html", context)


@admin.register(Condonation)
class CondonationAdmin(ServiceAdmin):
    """What condonations rest on, to be read: documents come along with the condonation."""

    discloses = Disclosure("condonation", "decision.enrollment.student.person_id")
    list_display = ("student", "section", "decision", "created_at")
    list_filter = ("decision__term",)
    list_select_related = (
        "decision__enrollment__student__person", "decision__section__course", "decision__section__term",
    )  # fmt: skip
    search_fields = ("decision__enrollment__student__student_no",)
    ordering = ("-created_at", "-pk")

    @admin.display(description="student")
    def student(self, condonation: Condonation) -> str:
        return str(condonation.decision.enrollment.student)

    @admin.display(description="section")
    def section(self, condonation: Condonation) -> str:
        return str(condonation.decision.section)
