"""Forms of the administration for the parts that people play."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget

from accounts.models import Person

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
