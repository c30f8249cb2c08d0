"""The administration page for the rules by which attendance is judged."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget

from attendance import services
from attendance.models import AttendancePolicy
from core.admin import ServiceAdmin
from core.crud import Crud


class AttendancePolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """For whom, in the terms that begin on which days, and what is asked of them."""

    starts_on = forms.DateField(required=False, widget=AdminDateWidget, help_text="Empty: since ever.")
    ends_on = forms.DateField(
        required=False, widget=AdminDateWidget, help_text="The first day after it. Empty: until further notice."
    )

    class Meta:
        model = AttendancePolicy
        fields = [
            *AttendancePolicy.SCOPES, "threshold", "condonation_floor", "basis", "rounding", "late_after",
            "late_weight", "lates_per_absence", "lock_after", "alert_after",
        ]  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.valid is not None:
            self.initial.update(starts_on=self.instance.valid.lower, ends_on=self.instance.valid.upper)


@admin.register(AttendancePolicy)
class AttendancePolicyAdmin(ServiceAdmin):
    form = AttendancePolicyForm
    crud = Crud(create=services.create_policy, update=services.update_policy, delete=services.delete_policy)
    service_arguments = frozenset({"starts_on", "ends_on"})
    list_display = (*AttendancePolicy.SCOPES, "valid", "threshold", "condonation_floor", "basis")
    list_filter = ("basis",)
    list_select_related = ("department", "program", "course", "section__course", "section__term")
    autocomplete_fields = AttendancePolicy.SCOPES
    readonly_fields = ("id", "bar", "created_at", "updated_at")
