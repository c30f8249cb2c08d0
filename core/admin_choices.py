"""Choosing the row that a field of a form refers to, which its own pages name in the way people know it by."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.forms import ModelChoiceField, ModelMultipleChoiceField

if TYPE_CHECKING:
    _ModelChoiceField = ModelChoiceField[Any]
    _ModelMultipleChoiceField = ModelMultipleChoiceField[Any]
else:
    _ModelChoiceField = ModelChoiceField
    _ModelMultipleChoiceField = ModelMultipleChoiceField


def label_of(row: Any) -> str:
    """Return what a row is called where it is chosen."""
    pages: Any = admin.site._registry.get(type(row))
    return str(row) if pages is None else str(pages.label_of(row))


class RowField(_ModelChoiceField):
    """A field that refers to a row."""

    def label_from_instance(self, obj: Any) -> str:
        return label_of(obj)


class RowsField(_ModelMultipleChoiceField):
    """A field that refers to several rows."""

    def label_from_instance(self, obj: Any) -> str:
        return label_of(obj)


class ChoicesView(AutocompleteJsonView):
    """What a field offers for the words typed so far; whose records it names is put on record, as by a list."""

    def get_context_data(self, *, object_list: Any = None, **options: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(object_list=object_list, **options)
        pages: Any = self.model_admin
        pages.put_on_record(self.request, context["object_list"])
        return context

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return {**super().serialize_result(obj, to_field_name), "text": label_of(obj)}
