"""The list and the roster: their shapes, who may ask for them, and their addresses."""

import jwt
from django.db import transaction
from django.db.models import FilteredRelation, Q
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import generics, serializers, viewsets
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from benchmarks.baselines.plain_drf.models import (
    Account,
    Code,
    Department,
    Enrollment,
    Program,
    Record,
    Session,
    Student,
)
from benchmarks.baselines.settings import TOKEN_KEY


class DepartmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Department
        fields = ["id", "code", "name"]


class ProgramSerializer(serializers.ModelSerializer):
    class Meta:
        model = Program
        fields = ["id", "code", "name"]


class StudentSerializer(serializers.ModelSerializer):
    first_name = serializers.CharField(source="person.first_name")
    last_name = serializers.CharField(source="person.last_name")
    preferred_name = serializers.CharField(source="person.preferred_name")
    email = serializers.EmailField(source="person.email")
    department = DepartmentSerializer()
    program = ProgramSerializer(source="primary_enrollment.program", allow_null=True)
    cohort = serializers.CharField(source="primary_enrollment.cohort", default="")
    custom_fields = serializers.JSONField(source="custom_data")

    class Meta:
        model = Student
        fields = [
            "id", "student_no", "first_name", "last_name", "preferred_name", "email", "status", "department", "program",
            "cohort", "admitted_on", "custom_fields", "created_at", "updated_at",
        ]  # fmt: skip


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Account, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme != b"Bearer":
            return None
        try:
            claims = jwt.decode(token, TOKEN_KEY, algorithms=["HS256"])
            return Account.objects.get(pk=claims["sub"], is_active=True), None
        except (jwt.PyJWTError, Account.DoesNotExist) as error:
            raise AuthenticationFailed from error


class StudentViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = (
        Student.objects.annotate(
            primary_enrollment=FilteredRelation("enrollments", condition=Q(enrollments__is_primary=True))
        )
        .select_related("person", "department", "primary_enrollment__program")
        .order_by("student_no")
    )
    serializer_class = StudentSerializer
    authentication_classes = [BearerToken]
    permission_classes = [IsAuthenticated]


class RecordSerializer(serializers.ModelSerializer):
    enrollment = serializers.PrimaryKeyRelatedField(queryset=Enrollment.objects.all())
    code = serializers.SlugRelatedField(slug_field="code", queryset=Code.objects.all())

    class Meta:
        model = Record
        fields = ["enrollment", "code"]

    def create(self, validated_data: dict) -> Record:
        enrollment, code = validated_data.pop("enrollment"), validated_data.pop("code")
        record, _ = Record.objects.update_or_create(
            enrollment=enrollment, **validated_data, defaults={"code": code}
        )  # fmt: skip
        return record


class RosterView(generics.GenericAPIView):
    queryset = Session.objects.all()
    serializer_class = RecordSerializer
    authentication_classes = [BearerToken]
    permission_classes = [IsAuthenticated]

    @transaction.atomic
    def put(self, request: Request, pk: str) -> Response:
        session = get_object_or_404(Session, pk=pk)
        serializer = self.get_serializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        serializer.save(session=session, section_id=session.section_id, local_date=session.local_date)
        return Response(serializer.data)


router = SimpleRouter()
router.register("students", StudentViewSet)
urlpatterns = [*router.urls, path("rosters/<uuid:pk>/", RosterView.as_view())]
