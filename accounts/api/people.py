"""The data of a person as the parts they play show and take it: flat, among the part's own fields."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from rest_framework import serializers

from accounts.models import Gender, Person
from core.api.fields import VisibleRelatedField
from core.api.serializers import ModelWriteSerializer

ModelT = TypeVar("ModelT", bound=Model)


class PersonNameFields(serializers.Serializer[Any]):
    """What a list shows of a person."""

    first_name = serializers.CharField(source="person.first_name")
    last_name = serializers.CharField(source="person.last_name")
    preferred_name = serializers.CharField(source="person.preferred_name")
    email = serializers.EmailField(source="person.email", allow_blank=True)


class PersonContactFields(PersonNameFields):
    """What is shown beside the name to those who work with a person."""

    person = serializers.UUIDField(source="person_id", help_text="Who they are, whatever parts they play.")
    phone = serializers.CharField(source="person.phone")


class PersonFields(PersonContactFields):
    """Everything about a person."""

    birth_date = serializers.DateField(source="person.birth_date", allow_null=True)
    gender = serializers.ChoiceField(Gender.choices, source="person.gender", allow_blank=True)
    nationality = serializers.CharField(source="person.nationality")


class PersonWriter(ModelWriteSerializer[Person]):
    """Input about a person."""

    class Meta:
        model = Person
        fields = [
            "first_name", "last_name", "preferred_name", "email", "phone", "birth_date", "gender", "nationality",
        ]  # fmt: skip


class PartWriter(ModelWriteSerializer[ModelT]):
    """Input about a part that a person plays: `person_fields` of theirs and the part's own."""

    person_fields: ClassVar[tuple[str, ...]] = tuple(PersonWriter.Meta.fields)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        personal = PersonWriter().get_fields()
        # Whoever has one name alone has it here, as in passports.
        personal["last_name"].required = True
        return {name: personal[name] for name in self.person_fields} | super().get_fields()


class NewPartFields(serializers.Serializer[Any]):
    """Input about a part that begins: that of a person who is known already, or of one with a last name."""

    needs_one_of: ClassVar[tuple[str, ...]] = ("last_name", "person")

    person = VisibleRelatedField(
        queryset=Person.objects.all(), required=False, help_text="A person who is known already, in another part."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["last_name"].required = not self._is_of_known_person()
        return fields

    def to_internal_value(self, data: Any) -> Any:
        # One writer takes many bodies, some of them of persons who are known.
        self.fields["last_name"].required = not self._is_of_known_person()
        return super().to_internal_value(data)

    def validate_last_name(self, last_name: str) -> str:
        if not last_name and not self._is_of_known_person():
            raise serializers.ValidationError("This field is required.", code="required")
        return last_name

    def _is_of_known_person(self) -> bool:
        data = getattr(self, "initial_data", None)
        return isinstance(data, Mapping) and "person" in data
