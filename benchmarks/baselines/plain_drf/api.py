"""The list: its shape, who may read it, and its address."""

import jwt
from django.db.models import FilteredRelation, Q
from rest_framework import serializers, viewsets
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from benchmarks.baselines.plain_drf.models import Account, Department, Program, Student
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


router = SimpleRouter()
router.register("students", StudentViewSet)
urlpatterns = router.urls
