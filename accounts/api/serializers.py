"""The JSON shapes of accounts."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from accounts.assignments import Assignment
from accounts.models import Person, RoleAssignment, User
from accounts.roles import Role, ScopeKind
from core.api.fields import TextField, VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer


class PersonBrief(BaseListSerializer[Person]):
    class Meta:
        model = Person
        fields = ["id", "first_name", "last_name", "preferred_name"]


class HeldRole(serializers.Serializer[Assignment]):
    """A role somebody holds now."""

    role = serializers.ChoiceField(Role.choices)
    scope_kind = serializers.CharField()
    scope_id = serializers.UUIDField(allow_null=True)


class UserSerializer(BaseListSerializer[User]):
    person = PersonBrief(allow_null=True)
    roles = HeldRole(source="assignments", many=True)

    class Meta:
        model = User
        fields = [
            "id", "email", "person", "roles", "is_active", "is_staff", "is_service", "must_change_password",
            "last_login", "created_at", "updated_at",
        ]  # fmt: skip


class UserWriter(ModelWriteSerializer[User]):
    person = VisibleRelatedField(queryset=Person.objects.all(), allow_null=True, required=False)
    password = serializers.CharField(write_only=True, required=False, trim_whitespace=False, max_length=1000)

    class Meta:
        model = User
        fields = ["email", "person", "is_active", "is_staff", "must_change_password", "password"]


class NewUserWriter(UserWriter):
    class Meta(UserWriter.Meta):
        fields = [*UserWriter.Meta.fields, "is_service"]


class UserBrief(BaseListSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email"]


class RoleAssignmentSerializer(BaseDetailSerializer[RoleAssignment]):
    user = UserBrief()
    granted_by = UserBrief(allow_null=True)
    valid_from = serializers.DateTimeField(source="valid.lower", allow_null=True)
    valid_until = serializers.DateTimeField(source="valid.upper", allow_null=True)

    class Meta:
        model = RoleAssignment
        fields = [
            "id", "user", "role", "scope_kind", "scope_id", "valid_from", "valid_until", "granted_by", "created_at",
            "updated_at",
        ]  # fmt: skip


class RoleAssignmentWriter(ModelWriteSerializer[RoleAssignment]):
    valid_from = serializers.DateTimeField(required=False, help_text="From when on; from now on if left out.")
    valid_until = serializers.DateTimeField(required=False, allow_null=True)

    class Meta:
        model = RoleAssignment
        fields = ["user", "role", "scope_kind", "scope_id", "valid_from", "valid_until"]


class RoleSerializer(serializers.Serializer[Any]):
    """A role, what it permits and where it is held."""

    code = serializers.ChoiceField(Role.choices)
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(
        child=serializers.ChoiceField(ScopeKind.choices), help_text="The kinds of scope that it is held in."
    )


class LogInWriter(WriteSerializer):
    request_example: ClassVar = {"email": "registrar@demo.campushub360.example", "password": "your password"}

    # Compared and not kept, so the space that typing left around them does no harm.
    email = serializers.CharField(required=False, trim_whitespace=False, max_length=254)
    username = serializers.CharField(
        required=False,
        trim_whitespace=False,
        max_length=254,
        help_text="Another name for `email`; one of them is sent.",
    )
    password = serializers.CharField(trim_whitespace=False, max_length=1000)
    device = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="What the last log-in on this device answered: with it, guesses of others lock nobody out here.",
    )

    def to_internal_value(self, data: Any) -> Any:
        # Decided before anything is read, so that everything missing is named at once.
        self.fields["email"].required = not (isinstance(data, Mapping) and "username" in data)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" in attrs and "username" in attrs:
            raise serializers.ValidationError({"username": "Send `email` or `username`, not both."}, code="ambiguous")
        email = attrs.get("email") or attrs["username"]
        return {"email": email, "password": attrs["password"], "device": attrs.get("device", "")}


class RefreshWriter(WriteSerializer):
    refresh = serializers.CharField(max_length=200)


class VerifyWriter(WriteSerializer):
    token = serializers.CharField(max_length=4000)


class Me(UserSerializer):
    permissions = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "permissions"]

    def get_permissions(self, user: User) -> list[str]:
        return sorted(user.permissions)


class TokenPair(serializers.Serializer[Any]):
    """What a log-in or a refresh answers with; `expires_in` is in seconds."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()


class NewSession(TokenPair):
    """What a log-in answers with."""

    device = serializers.CharField(help_text="Names this device. To be kept, and sent with its next log-in.")


class SecondStepNeeded(serializers.Serializer[Any]):
    """What the log-in of an account with a second factor answers with; `expires_in` is in seconds."""

    mfa_required = serializers.BooleanField(help_text="True.")
    mfa_token = serializers.CharField(help_text="Opens nothing by itself; to be sent with the second factor.")
    expires_in = serializers.IntegerField()
    kinds = serializers.ListField(
        child=serializers.CharField(), help_text="What the account has: `totp`, `webauthn`, `recovery`."
    )


class PresentPasswordField(TextField):
    """By which the owner of an account shows once more to be it."""

    def __init__(self, **options: Any) -> None:
        help_text = "The present one; left out where the account has none, whose owner has to have logged in just now."
        usual = {"required": False, "trim_whitespace": False, "max_length": 1000, "help_text": help_text}
        super().__init__(**{**usual, "default": "", **options})


class PasswordChangeWriter(WriteSerializer):
    request_example: ClassVar = {"current_password": "your password", "new_password": "another one, long enough"}

    current_password = PresentPasswordField()
    new_password = serializers.CharField(
        trim_whitespace=False, max_length=1000, help_text="At least 15 characters, none of them prescribed."
    )


class ContinuedSession(serializers.Serializer[Any]):
    """An access token in place of the one that the change has outdated; the refresh token stays good."""

    access = serializers.CharField()
    expires_in = serializers.IntegerField()
