"""What the administration pages of the parts that people play share: the person's own data, and finding them by it."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.http import HttpRequest

from accounts.models import Person
from core.admin import ServiceAdmin

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

PERSON_FIELDS = ("first_name", "last_name", "preferred_name", "email", "phone", "birth_date", "gender", "nationality")


def _of_person(name: str, **options: Any) -> Any:
    field: Any = Person._meta.get_field(name)
    return field.formfield(**options)


class PartForm(_ModelForm):
    """A part that a person plays, with the person's own data among its fields."""

    first_name = _of_person("first_name")
    last_name = _of_person("last_name")
    preferred_name = _of_person("preferred_name")
    email = _of_person("email")
    phone = _of_person("phone")
    birth_date = _of_person("birth_date", widget=AdminDateWidget())
    gender = _of_person("gender")
    nationality = _of_person("nationality")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:
            for name in PERSON_FIELDS:
                self.initial.setdefault(name, getattr(self.instance.person, name))


def _shown(name: str) -> Any:
    @admin.display(description=name.replace("_", " ").capitalize())
    def show(pages: Any, part: Any) -> Any:
        return getattr(part.person, name)

    return show


class PartAdmin(ServiceAdmin):
    """The pages of a part: chosen by the person's name, who stands on them for those who may only look, too.

    `number` names the column that people know the part by. It stays as it was given, and the status moves by actions.
    """

    number: ClassVar[str]

    first_name = _shown("first_name")
    last_name = _shown("last_name")
    preferred_name = _shown("preferred_name")
    email = _shown("email")
    phone = _shown("phone")
    birth_date = _shown("birth_date")
    gender = _shown("gender")
    nationality = _shown("nationality")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = options.pop("form", self.form)
        # Fields that the form declares are left out by None in their place, those of the model by `get_exclude`.
        hidden = dict.fromkeys(self.hidden_fields(request, obj) if obj is not None else ())
        return super().get_form(request, obj, change, form=type(form.__name__, (form,), hidden), **options)

    def label_of(self, row: Any) -> str:
        return f"{getattr(row, self.number)}, {row.person.name}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else [self.number, "status", *readonly]

    def version_of(self, obj: Any) -> str:
        """The person may be changed elsewhere, without a change of the part."""
        return f"{super().version_of(obj)}-{obj.person.version}"

    @admin.display(ordering="person__last_name")
    def name(self, part: Any) -> str:
        return str(part.person.name)
