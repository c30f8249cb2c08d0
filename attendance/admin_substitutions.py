"""Administration pages for substitutions."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils import timezone

from attendance import services
from attendance.models import Substitution, SubstitutionEvent
from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline, row_action

REVOKED = "Revoked on the administration pages."


def _withdraw(substitution: Substitution, *, by: Any) -> None:
    services.withdraw_substitution(substitution, by=by, at=timezone.now())


def _revoke(substitution: Substitution, *, by: Any) -> None:
    services.revoke_substitution(substitution, by=by, at=timezone.now(), reason=REVOKED)


class SubstitutionEventInline(ReadOnlyInline):
    model = SubstitutionEvent
    related = ("actor",)
    fields = ("happened_at", "from_status", "to_status", "actor", "reason")
    ordering = ("happened_at",)


@admin.register(Substitution)
class SubstitutionAdmin(ServiceAdmin):
    """Who teaches which class in whose place, to be read, withdrawn and revoked; the API is where one asks and answers.

    A refusal, such as that the teacher is wanted elsewhere by now, stands above the list.
    """

    inlines: ClassVar = (SubstitutionEventInline,)
    actions = (
        row_action("withdraw", "Withdraw: ask no longer", _withdraw, permission="end"),
        row_action("revoke", "Revoke: the teacher teaches after all", _revoke, permission="end"),
    )
    list_display = ("session", "starts_at", "instructor", "substitute", "status", "created_at")
    list_filter = ("status", "session__starts_at")
    linked_lookups = frozenset({"session__starts_at__gte", "session__starts_at__lt"})
    list_select_related = (
        "session__section__course", "session__section__term", "instructor__person", "substitute__person",
        "proposed_by",
    )  # fmt: skip
    search_fields = (
        "=session__section__course__code", "=substitute__employee_no", "=instructor__employee_no",
    )  # fmt: skip
    fields = (
        "session", "starts_at", "instructor", "substitute", "reason", "status", "proposed_by", "created_at",
        "updated_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_end_permission(self, request: Any) -> bool:
        """Say whether the caller may end substitutions, for `permissions` of the actions."""
        return bool(request.user.has_perm("attendance.change_substitution"))

    @admin.display(description="begins", ordering="session__starts_at")
    def starts_at(self, substitution: Substitution) -> Any:
        return substitution.session.starts_at
