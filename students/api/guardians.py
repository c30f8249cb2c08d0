"""Guardians over HTTP: registrars record and verify them, students agree or do not, guardians see where they stand."""

from typing import ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import PersonBrief
from accounts.models import Person
from core.api import etag, filters
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from students import services
from students.models import GuardianLink, GuardianRelation, GuardianScope, Student


class WardBrief(BaseListSerializer[Student]):
    """A student as their guardian calls them."""

    name = serializers.CharField(source="person.name")

    class Meta:
        model = Student
        fields = ["id", "name"]


class GuardianLinkSerializer(BaseDetailSerializer[GuardianLink]):
    person = PersonBrief()
    student = WardBrief()
    starts_on = serializers.DateField(source="valid.lower")
    ends_on = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="The first day after it; null while it lasts."
    )

    class Meta:
        model = GuardianLink
        fields = [
            "id", "person", "student", "relation", "scopes", "starts_on", "ends_on", "verified_at", "consented_at",
            "created_at", "updated_at",
        ]  # fmt: skip


class GuardianLinkWriter(ModelWriteSerializer[GuardianLink]):
    scopes = serializers.ListField(
        child=serializers.ChoiceField(GuardianScope.choices), allow_empty=False, max_length=len(GuardianScope.values)
    )
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False, allow_null=True)

    class Meta:
        model = GuardianLink
        fields = ["relation", "scopes", "starts_on", "ends_on"]
        extra_kwargs: ClassVar = {"relation": {"help_text": "Final once it is verified: another one is another link."}}


class NewGuardianLinkWriter(GuardianLinkWriter):
    student = VisibleRelatedField(queryset=Student.objects.all(), to="manage")
    person = VisibleRelatedField(queryset=Person.objects.all(), help_text="The guardian.")

    class Meta(GuardianLinkWriter.Meta):
        fields = ["student", "person", *GuardianLinkWriter.Meta.fields]


class GuardianLinkFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="student_id")
    person = filters.UUIDFilter(field_name="person_id")
    relation = filters.ChoiceFilter(choices=GuardianRelation)

    class Meta:
        model = GuardianLink
        fields = ["student", "person", "relation"]


class GuardianLinkViewSet(UnifiedViewSet[GuardianLink]):
    """Who is a guardian of which student, and of what they are told."""

    queryset = GuardianLink.objects.all()
    discloses = Disclosure("guardian link", "student.person_id")
    list_serializer_class = GuardianLinkSerializer
    write_serializer_class = GuardianLinkWriter
    write_serializers = {
        "create": NewGuardianLinkWriter,
        **dict.fromkeys(("verify", "revoke", "consent", "withdraw_consent"), WriteSerializer),
    }
    filterset_class = GuardianLinkFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {
        "verify": "students.change_guardianlink",
        "revoke": "students.change_guardianlink",
        "consent": "students.consent_guardianlink",
        "withdraw_consent": "students.consent_guardianlink",
    }
    crud = Crud(create=services.link_guardian, update=services.update_guardian_link)
    # What the student decides, who manages nothing else about a link.
    own_actions: ClassVar = frozenset({"consent", "withdraw_consent"})

    def locked_row(self) -> GuardianLink:
        students = (
            Student.objects.filter(person=self.actor.person_id) if self.actor.person_id else Student.objects.none()
        )
        own = GuardianLink.objects.filter(pk=self.kwargs["pk"], student__in=students.values("pk"))
        row = own.select_for_update(no_key=True).first() if self.action in self.own_actions else None
        if row is None:
            return super().locked_row()
        etag.require_match(self.request.headers.get("If-Match"), row)
        return row

    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Say that proof of the relation was seen."""
        return self.step(request, services.verify_guardian)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End the link."""
        return self.step(request, services.revoke_guardian)

    @action(detail=True, methods=["post"])
    def consent(self, request: Request, pk: str) -> Response:
        """Agree that the guardian is told what the link names; a registrar has it in writing."""
        return self.step(request, services.record_consent)

    @action(detail=True, methods=["post"], url_path="withdraw-consent")
    def withdraw_consent(self, request: Request, pk: str) -> Response:
        """Agree no longer."""
        return self.step(request, services.withdraw_consent)
