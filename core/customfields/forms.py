"""Custom fields in Django forms, and so in the administration: one form field per definition.

The form fields are named as the paths of the values in a request (`custom_fields.blood_group`), so
that what a service refuses finds its field. They read what was typed; whether it is a value of the
field is the service's question, as everywhere.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.admin import widgets
from django.db.models import Model

from core.customfields.files import file_field
from core.customfields.selectors import active
from core.customfields.types import MAX_LENGTH
from core.customfields.values import path, shown
from core.models import CustomField, CustomFieldType

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

NO_CHOICE = ("", "---------")
YES_OR_NO = (NO_CHOICE, ("true", "Yes"), ("false", "No"))


class CustomFieldsFormMixin(_ModelForm):
    """A model form that also shows and reads the custom values of its instance.

    `with_custom_fields` makes such a form with the fields of given definitions.
    """

    custom_definitions: ClassVar[Sequence[CustomField]] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = self.instance.custom_data
        for definition in self.custom_definitions:
            name = path(definition.name)
            value = _as_typed(stored.get(definition.name))
            _keep_choices(self.fields[name], definition, value)
            # A record that exists shows what it holds, be it nothing; defaults are for those to come.
            if not self.instance._state.adding:
                self.initial.setdefault(name, value)

    def custom_field_values(self) -> dict[str, Any]:
        """Return the values typed, by name, as the services' argument `custom_fields`.

        Of a record that exists only those that were changed, so that nothing else is overwritten.
        """
        stored = self.instance.custom_data
        return {
            definition.name: _as_json(self.cleaned_data.get(path(definition.name)), stored.get(definition.name))
            for definition in self.custom_definitions
            if self.instance._state.adding or path(definition.name) in self.changed_data
        }


def _as_typed(value: Any) -> Any:
    """Return a stored value as a form field takes it."""
    return str(value).lower() if isinstance(value, bool) else shown(value)


def _as_json(typed: Any, stored: Any) -> Any:
    """Return what a form field yields as the services take it."""
    if isinstance(typed, Model):
        return str(typed.pk)
    if isinstance(typed, UUID):
        return str(typed)
    if isinstance(typed, str):
        # Browsers end every line with CR LF; that alone is no change.
        typed = typed.replace("\r\n", "\n")
        return stored if isinstance(stored, str) and stored.replace("\r\n", "\n") == typed else typed
    return typed


def with_custom_fields(form: type[Any], definitions: Sequence[CustomField], *, actor: Any = None) -> type[Any]:
    """Return a form class like `form` that has a field for each active definition, for what `actor` may choose."""
    shown_definitions = active(definitions)
    declared = {path(definition.name): form_field(definition, actor) for definition in shown_definitions}
    bases = (form,) if issubclass(form, CustomFieldsFormMixin) else (CustomFieldsFormMixin, form)
    return type(form.__name__, bases, {"custom_definitions": shown_definitions, **declared})


def form_field(definition: CustomField, actor: Any = None) -> forms.Field:
    """Return the form field of a definition, with the widget that suits its type."""
    options: dict[str, Any] = {
        "label": definition.label,
        "help_text": definition.help_text,
        "required": definition.required,
        "initial": _as_typed(definition.default_value),
    }
    if definition.field_type == CustomFieldType.FILE:
        return file_field(actor, options)
    return BUILDERS[definition.field_type](definition, options)


def _text(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    # The text is kept as typed, so that an edit of another field never changes it.
    length = MAX_LENGTH[CustomFieldType(definition.field_type)]
    return forms.CharField(**options, widget=TEXT_WIDGETS[definition.field_type](), max_length=length, strip=False)


TEXT_WIDGETS: dict[str, Callable[[], forms.Widget]] = {
    CustomFieldType.TEXT: widgets.AdminTextInputWidget,
    CustomFieldType.TEXTAREA: widgets.AdminTextareaWidget,
    CustomFieldType.PHONE: lambda: widgets.AdminTextInputWidget(attrs={"type": "tel"}),
    CustomFieldType.EMAIL: widgets.AdminEmailInputWidget,
    CustomFieldType.URL: widgets.AdminURLFieldWidget,
}


def _number(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    return forms.DecimalField(
        **options,
        min_value=definition.min_value,
        max_value=definition.max_value,
        widget=forms.NumberInput(attrs={"step": "any", "class": "vTextField"}),
    )


def _date(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    return forms.DateField(**options, widget=widgets.AdminDateWidget)


def _select(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    return forms.ChoiceField(**options, choices=[NO_CHOICE, *_pairs(definition)])


def _multiselect(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    return forms.MultipleChoiceField(**options, choices=_pairs(definition), widget=forms.CheckboxSelectMultiple)


def _boolean(definition: CustomField, options: dict[str, Any]) -> forms.Field:
    # A checkbox could not tell "no" from "not known".
    return forms.TypedChoiceField(**options, choices=YES_OR_NO, coerce=lambda typed: typed == "true", empty_value=None)


def _pairs(definition: CustomField) -> list[tuple[str, str]]:
    return [(choice["value"], choice["label"]) for choice in definition.choices]


def _keep_choices(field: forms.Field, definition: CustomField, value: Any) -> None:
    """Offer a stored value that is no longer among the choices, so that saving does not lose it."""
    if isinstance(field, forms.ChoiceField) and definition.choices and value:
        stored = value if isinstance(value, list) else [value]
        offered = _pairs(definition)
        lost = [(single, single) for single in stored if single not in dict(offered)]
        none = [] if isinstance(field, forms.MultipleChoiceField) else [NO_CHOICE]
        field.choices = [*none, *offered, *lost]


BUILDERS: dict[str, Callable[[CustomField, dict[str, Any]], forms.Field]] = {
    **dict.fromkeys(TEXT_WIDGETS, _text),
    CustomFieldType.NUMBER: _number,
    CustomFieldType.DATE: _date,
    CustomFieldType.SELECT: _select,
    CustomFieldType.MULTISELECT: _multiselect,
    CustomFieldType.BOOLEAN: _boolean,
}
