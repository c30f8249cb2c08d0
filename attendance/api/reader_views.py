"""HTTP for readers at doors, and for the cards by which they know students."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance import services
from attendance.models import Credential, Reader
from core.api import filters
from core.api.serializers import BaseListSerializer, ModelWriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from departments.api.serializers import RoomBrief
from enrollment.api.serializers import EnrolledStudent


class ReaderSerializer(BaseListSerializer[Reader]):
    room = RoomBrief()
    account = UserBrief()

    class Meta:
        model = Reader
        fields = ["id", "code", "name", "room", "account", "is_active", "created_at", "updated_at"]


class ReaderWriter(ModelWriteSerializer[Reader]):
    class Meta:
        model = Reader
        fields = ["code", "name", "room", "account", "is_active"]


class ReaderFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    room = filters.UUIDFilter(field_name="room_id")
    building = filters.UUIDFilter(field_name="room__building_id")
    account = filters.UUIDFilter(field_name="account_id")
    is_active = filters.BooleanFilter()

    class Meta:
        model = Reader
        fields = ["code", "room", "building", "account", "is_active"]


class ReaderViewSet(UnifiedViewSet[Reader]):
    """The readers at the doors of rooms, and whose keys report what they see."""

    queryset = Reader.objects.all()
    crud = Crud(create=services.create_reader, update=services.update_reader, delete=services.delete_reader)
    list_serializer_class = ReaderSerializer
    write_serializer_class = ReaderWriter
    filterset_class = ReaderFilter
    ordering_fields = {"code": "code", "created_at": "created_at"}
    default_ordering = ("code",)


class CredentialSerializer(BaseListSerializer[Credential]):
    """Whose it is and what people call it; what a reader reads of it is shown to nobody."""

    student = EnrolledStudent()

    class Meta:
        model = Credential
        fields = ["id", "student", "label", "created_at"]


class CredentialWriter(ModelWriteSerializer[Credential]):
    request_example: ClassVar = {
        "student": "01955500-0000-7000-8000-000000000001", "credential": "04A2B1C3", "label": "Blue card",
    }  # fmt: skip

    credential = serializers.CharField(
        max_length=200, trim_whitespace=False, help_text="As the reader reports it; it is shown to nobody again."
    )

    class Meta:
        model = Credential
        fields = ["student", "label", "credential"]


class CredentialFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="student_id")

    class Meta:
        model = Credential
        fields = ["student"]


class CredentialViewSet(UnifiedViewSet[Credential]):
    """The cards of students: given to them and taken away, never changed."""

    queryset = Credential.objects.all()
    crud = Crud(create=services.create_credential, delete=services.delete_credential)
    discloses = Disclosure("attendance", "student.person_id")
    list_serializer_class = CredentialSerializer
    write_serializer_class = CredentialWriter
    filterset_class = CredentialFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
