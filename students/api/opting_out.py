"""Leaving the directory over HTTP: for students themselves, and for those who keep their records."""

from rest_framework.request import Request
from rest_framework.response import Response

from core.api import etag
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from students import services
from students.api import serializers
from students.models import Student


class DirectoryOptOutViewSet(UnifiedViewSet[Student]):
    """Whether everybody may find a student."""

    queryset = Student.objects.all()
    discloses = Disclosure("student record", "person_id")
    list_serializer_class = serializers.StudentDetailSerializer
    write_serializers = {"opt_out": serializers.DirectoryOptOutWriter}
    crud = Crud()
    action_permissions = {"opt_out": "students.opt_out_of_directory"}

    def opt_out(self, request: Request, pk: str) -> Response:
        """Take the student out of the directory, or back into it."""
        return self.step(request, services.opt_out_of_directory)

    def locked_row(self) -> Student:
        own = Student.objects.filter(pk=self.kwargs["pk"], person=self.actor.person_id)
        row = own.select_for_update(no_key=True).first()
        if row is None:
            return super().locked_row()
        etag.require_match(self.request.headers.get("If-Match"), row)
        return row
