"""Custom fields on the administration pages of the records that have them."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.customfields.files import link_to_file
from core.customfields.forms import with_custom_fields
from core.customfields.protection import is_known
from core.customfields.selectors import active, definitions_for, definitions_of
from core.customfields.values import path, represent
from core.masks import custom_mask_of, with_knowledge
from core.models import CustomField, CustomFieldType, CustomizableModel

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

HEADING = "Custom fields"


class CustomFieldsAdminMixin(_ModelAdmin):
    """Adds a group of custom fields to the pages of a customizable model, and nothing to others.

    Whoever may only look sees the values as text.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        mask = custom_mask_of(self.model)
        return rows if mask is None else with_knowledge(rows, [mask], request.user)

    def known_definitions(self, request: HttpRequest, obj: Any) -> list[CustomField]:
        """Return the fields of which the caller may know the values of this row, or without one of every row."""
        definitions = active(definitions_for(request, self.model))
        mask = custom_mask_of(self.model)
        may_know = is_known(obj) if obj is not None else mask is not None and mask.known_everywhere(request.user)
        return [definition for definition in definitions if may_know or not definition.protected]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = options.pop("form", self.form)
        if self._is_customizable:
            form = with_custom_fields(form, self.known_definitions(request, obj), actor=request.user)
        # The library takes what is only read out of the class's own form, but not out of one handed to it.
        read = [name for name in self.get_readonly_fields(request, obj) if name in form.declared_fields]
        if read:
            form = type(form.__name__, (form,), dict.fromkeys(read))
        return super().get_form(request, obj, change, form=form, **options)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if not self._is_customizable:
            return fieldsets
        names = [path(definition.name) for definition in self.known_definitions(request, obj)]
        shown = [(title, {**group, "fields": _without(group["fields"], names)}) for title, group in fieldsets]
        if not names:
            return shown
        may_write = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return [*shown, (HEADING, {"fields": names if may_write else ["custom_values"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return [*readonly, "custom_values"] if self._is_customizable else readonly

    @admin.display(description="Values")
    def custom_values(self, obj: CustomizableModel) -> SafeString:
        """Show the values of a record as lines of text."""
        may_know = is_known(obj)
        definitions = [each for each in active(definitions_of(type(obj))) if may_know or not each.protected]
        values = represent(type(obj), obj.custom_data, definitions, with_protected=may_know)
        lines = [(definition.label, _plain(definition, values[definition.name])) for definition in definitions]
        return format_html_join("", "<div>{}: {}</div>", lines)

    @property
    def _is_customizable(self) -> bool:
        return issubclass(self.model, CustomizableModel)


def _without(fields: Any, names: list[str]) -> list[Any]:
    return [field for field in fields if field not in names and field != "custom_values"]


def _plain(definition: CustomField, value: Any) -> str:
    if value is None:
        return "-"
    if definition.field_type == CustomFieldType.FILE:
        return link_to_file(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else str(value)
