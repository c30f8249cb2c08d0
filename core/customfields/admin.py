"""Administration pages for the definitions of custom fields."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from core.admin import ServiceAdmin
from core.crud import Crud
from core.customfields import services
from core.customfields.selectors import customizable_models
from core.models import CustomField


class CustomFieldForm(forms.ModelForm):  # type: ignore[type-arg]  # a form class takes no argument when it runs
    """A definition, of one of the kinds of record that take custom fields."""

    entity_type = forms.ChoiceField(label="Kind of record")

    class Meta:
        model = CustomField
        fields = list(services.CustomFieldValues.__annotations__)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields.get("entity_type")
        if isinstance(field, forms.ChoiceField):
            models = sorted(customizable_models().items())
            field.choices = [(entity_type, model._meta.verbose_name) for entity_type, model in models]


@admin.register(CustomField)
class CustomFieldAdmin(ServiceAdmin):
    crud = Crud(
        create=services.create_custom_field,
        update=services.update_custom_field,
        delete=services.delete_custom_field,
    )
    form = CustomFieldForm
    list_display = ("label", "name", "entity_type", "field_type", "required", "protected", "is_active", "order")
    list_filter = ("entity_type", "field_type", "is_active", "protected")
    search_fields = ("name", "label")
    ordering = ("entity_type", "order", "name")
    readonly_fields = ("id", "archived_at", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else [*readonly, "entity_type"]
