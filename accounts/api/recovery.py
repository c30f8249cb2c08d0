"""HTTP for getting back into an account, and for changing the address that logs in."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.auth import validated
from accounts.api.serializers import PresentPasswordField
from core.api.permissions import AUTHENTICATED, PublicByName
from core.api.responses import SuccessResponse
from core.api.serializers import WriteSerializer
from core.api.views import PlainView

LONGEST_TOKEN = 200


class PasswordResetWriter(WriteSerializer):
    request_example: ClassVar = {"email": "registrar@demo.campushub360.example"}

    # Compared and not kept, so the space that typing left around it does no harm.
    email = serializers.CharField(trim_whitespace=False, max_length=254, help_text="The address that logs in.")


class PasswordResetConfirmWriter(WriteSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="What the mailed link ends with.")
    new_password = serializers.CharField(
        trim_whitespace=False, max_length=1000, help_text="At least 15 characters, none of them prescribed."
    )


class EmailChangeWriter(WriteSerializer):
    request_example: ClassVar = {"new_email": "ada@campushub360.example", "current_password": "your password"}

    new_email = serializers.EmailField(max_length=254)
    current_password = PresentPasswordField()


class EmailChangeConfirmWriter(WriteSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="What the mailed link ends with.")


class PasswordResetView(PlainView):
    """Ask for a link that sets a password."""

    authentication_classes = ()
    permission_classes = (PublicByName,)

    @extend_schema(operation_id="auth_password_reset", request=PasswordResetWriter, responses={202: None})
    def post(self, request: Request) -> Response:
        """Have a link mailed to the owner of the account; the answer is the same when there is no such account."""
        services.request_password_reset(**validated(PasswordResetWriter, request), at=timezone.now())
        message = "If an account has this address, a link is on its way there."
        return SuccessResponse(message=message, status=status.HTTP_202_ACCEPTED)


class PasswordResetConfirmView(PlainView):
    """Set a password by a mailed link."""

    authentication_classes = ()
    permission_classes = (PublicByName,)

    @extend_schema(
        operation_id="auth_password_reset_confirm", request=PasswordResetConfirmWriter, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """Set the password, which ends every session and opens none; the link works once, for an hour."""
        services.reset_password(**validated(PasswordResetConfirmWriter, request), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class EmailChangeView(PlainView):
    """Ask for another address to log in with."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_email_change", request=EmailChangeWriter, responses={202: None})
    def post(self, request: Request) -> Response:
        """Have a link mailed to the new address; the answer is the same when another account has it."""
        user: Any = request.user
        session_id = getattr(request.auth, "session_id", None)
        values = validated(EmailChangeWriter, request)
        services.request_address_change(user, **values, session_id=session_id, at=timezone.now())
        message = "If the address can be yours, a link is on its way there."
        return SuccessResponse(message=message, status=status.HTTP_202_ACCEPTED)


class EmailChangeConfirmView(PlainView):
    """Change the address that logs in by a mailed link."""

    authentication_classes = ()
    permission_classes = (PublicByName,)

    @extend_schema(operation_id="auth_email_change_confirm", request=EmailChangeConfirmWriter, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the address, which ends every session but the one that asked; the link works once, for an hour."""
        services.change_address(**validated(EmailChangeConfirmWriter, request), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
