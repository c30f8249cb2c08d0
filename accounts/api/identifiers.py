"""Identifiers that authorities gave to people over HTTP: masked in every answer but that of `reveal`."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.serializers import PersonBrief
from accounts.models import PersonIdentifier
from accounts.models.identifier import IdentifierScheme
from core.api import filters
from core.api.nested import NestedListViewSet
from core.api.serializers import BaseDetailSerializer, ModelWriteSerializer, WriteSerializer
from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure

IDENTIFIERS = Disclosure("person identifier", "person_id")


class PersonIdentifierSerializer(BaseDetailSerializer[PersonIdentifier]):
    person = PersonBrief()
    country = serializers.CharField()
    masked_value = serializers.CharField(help_text="The last two to four characters; the others are hidden.")

    class Meta:
        model = PersonIdentifier
        fields = ["id", "person", "scheme", "country", "masked_value", "created_at", "updated_at"]


class PersonIdentifierWriter(ModelWriteSerializer[PersonIdentifier]):
    value = serializers.CharField(
        max_length=64, write_only=True, required=False, help_text="Left out, it stays as it is: answers do not show it."
    )

    class Meta:
        model = PersonIdentifier
        fields = ["scheme", "country", "value"]


class NewPersonIdentifierWriter(PersonIdentifierWriter):
    value = serializers.CharField(
        max_length=64, write_only=True, help_text="Kept encrypted; answers show its last characters alone."
    )

    request_example = {
        "person": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44", "scheme": IdentifierScheme.OTHER.value, "value": "AB 123 456",
    }  # fmt: skip

    class Meta(PersonIdentifierWriter.Meta):
        fields = ["person", *PersonIdentifierWriter.Meta.fields]


class RevealWriter(WriteSerializer):
    reason = serializers.CharField(max_length=500, help_text="What the value is needed for; it goes on record.")


class RevealedIdentifier(serializers.Serializer[Any]):
    """An identifier in the clear."""

    id = serializers.UUIDField()
    value = serializers.CharField()


class PersonIdentifierFilter(filters.StrictFilterSet):
    person = filters.UUIDFilter(field_name="person_id")
    scheme = filters.MultipleChoiceFilter(choices=IdentifierScheme)
    country = filters.CharFilter()

    class Meta:
        model = PersonIdentifier
        fields = ["person", "scheme", "country"]


class IdentifiersOfPersonFilter(filters.StrictFilterSet):
    scheme = filters.MultipleChoiceFilter(choices=IdentifierScheme)

    class Meta:
        model = PersonIdentifier
        fields = ["scheme"]


class PersonIdentifierViewSet(UnifiedViewSet[PersonIdentifier]):
    """The numbers by which states know people."""

    queryset = PersonIdentifier.objects.all()
    discloses = IDENTIFIERS
    list_serializer_class = PersonIdentifierSerializer
    write_serializer_class = PersonIdentifierWriter
    write_serializers = {"create": NewPersonIdentifierWriter}
    filterset_class = PersonIdentifierFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    crud = Crud(create=services.create_identifier, update=services.update_identifier, delete=services.delete_identifier)


class IdentifiersOfPersonViewSet(NestedListViewSet[PersonIdentifier]):
    """The numbers by which states know one person."""

    queryset = PersonIdentifier.objects.all()
    discloses = IDENTIFIERS
    parent_field = "person"
    list_serializer_class = PersonIdentifierSerializer
    filterset_class = IdentifiersOfPersonFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("created_at",)


class RevealIdentifierViewSet(BaseViewSet[PersonIdentifier]):
    """One identifier in the clear. The answer is a secret, so no idempotency key keeps it."""

    queryset = PersonIdentifier.objects.all()
    discloses = IDENTIFIERS
    list_serializer_class = PersonIdentifierSerializer
    write_serializers = {"reveal": RevealWriter}
    action_permissions = {"reveal": "accounts.reveal_personidentifier"}
    idempotent_posts = False

    def get_response_serializer(self) -> type[serializers.BaseSerializer[Any]]:
        return RevealedIdentifier

    def reveal(self, request: Request, pk: str) -> Response:
        """Answer with the identifier itself; who asked for it and why goes on record."""
        identifier = self.get_object()
        value = services.reveal_identifier(identifier, by=self.actor, at=timezone.now(), **self.validated(request.data))
        self.put_on_record([identifier])
        return Response(RevealedIdentifier({"id": identifier.pk, "value": value}).data)
