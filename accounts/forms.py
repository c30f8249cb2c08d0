"""What the administration pages of the parts that people play share: the person's own data."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
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


def _shown(name: str) -> Any:
    @admin.display(description=name.replace("_", " ").capitalize())
    def show(pages: Any, part: Any) -> Any:
        return getattr(part.person, name)

    return show


class PersonShown:
    """Lets the pages of a part show the person's data to those who may only look."""

    first_name = _shown("first_name")
    last_name = _shown("last_name")
    preferred_name = _shown("preferred_name")
    email = _shown("email")
    phone = _shown("phone")
    birth_date = _shown("birth_date")
    gender = _shown("gender")
    nationality = _shown("nationality")
