"""The base of every view of the API: its requests are counted."""

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView


class LimitedMixin(APIView):
    """Counts a request between authentication and permission, and one that fails to authenticate as well."""

    # What the contract knows. A preflight is answered before any view; what else OPTIONS would tell, the schema says.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            super().check_throttles(request)
            raise
        super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Do nothing: it has happened already."""
