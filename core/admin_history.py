"""What administration pages of rows with a status share: the steps they took, and taking the next one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms.models import _get_foreign_key
from django.http import HttpRequest
from django.utils import timezone

from core.errors import DomainError, OutOfScopeError
from core.masks import masks_of
from core.visibility import visible

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
else:
    _TabularInline = admin.TabularInline


class ReadOnlyInline(_TabularInline):
    """Rows that belong to the one on the page, to be read there and changed nowhere on it.

    `related` names the rows they refer to, which the page shows as well.
    """

    related: ClassVar[tuple[str, ...]] = ()
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible(super().get_queryset(request), request.user)
        return rows.select_related(*self.related) if self.related else rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what the caller may not know of each of the rows."""
        rows = self.model._base_manager.filter(**{self._parent: obj})
        unknown = [mask for mask in masks_of(self.model) if not mask.known_of_all(rows, request.user)]
        hidden = {name for mask in unknown for name in mask.names}
        return [name for name in self.fields or () if name not in hidden]

    @property
    def _parent(self) -> str:
        return str(_get_foreign_key(self.parent_model, self.model, fk_name=self.fk_name).name)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def status_action(status: Any, change_status: Callable[..., Any]) -> Callable[..., None]:
    """Return the action that moves the chosen rows to `status` (a choice) by the service `change_status`.

    Each row moves or is refused on its own; one that the caller may not manage is left out and named.
    """

    def move(row: Any, *, by: Any) -> None:
        change_status(row, status=status.value, by=by, at=timezone.now())

    return row_action(f"move_to_{status.value}", f"Move to: {status.label}", move)


def row_action(
    name: str, description: str, step: Callable[..., Any], *, permission: str = "change"
) -> Callable[..., None]:
    """Return the action that takes a step, `step(row, by=…)`, with each chosen row."""

    @admin.action(description=description, permissions=[permission])
    def take(pages: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        take_step(pages, request, queryset, step)

    take.__name__ = name
    return take


def take_step(pages: Any, request: HttpRequest, queryset: QuerySet[Any], step: Callable[..., Any]) -> int:
    """Take a step with each row and return with how many it was taken; the page says of the others why not."""
    manageable = set(visible(queryset.order_by(), request.user, to="manage").values_list("pk", flat=True))
    taken = 0
    for row in queryset:
        if row.pk not in manageable:
            pages.message_user(request, f"{row}: {OutOfScopeError.title}", messages.ERROR)
            continue
        try:
            with transaction.atomic():
                step(row, by=request.user)
            taken += 1
        except DomainError as refused:
            pages.message_user(request, f"{row}: {refused.detail}", messages.ERROR)
    return taken
