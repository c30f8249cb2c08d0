"""HTTP for what happened on a sheet: who marked whom, when, why, and what was there before."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance.api.history_serializers import SheetHistorySerializer
from attendance.api.serializers import ClassSessionSerializer
from attendance.histories import history_of
from attendance.models import ClassSession, SheetHistory
from core.api.parameters import UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.errors import raise_all
from core.recording import Disclosure


class SheetHistoryViewSet(BaseViewSet[ClassSession]):
    """The steps of a sheet and of the marks on it, the latest first, for those who settle doubts about them."""

    queryset = SheetHistory.objects.all()
    discloses = Disclosure("attendance history", "enrollment.student.person_id")
    list_serializer_class = ClassSessionSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return SheetHistorySerializer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show each step of the sheet and of its marks: by whom, when and why."""
        found = history_of(self.get_object())
        self.put_on_record(found.marks)
        return Response(SheetHistorySerializer(found).data)
