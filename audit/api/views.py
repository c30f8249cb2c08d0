"""HTTP for the logs: lists alone, the latest entry first."""

from audit.api import filters, serializers
from audit.models import Change, Event
from audit.selectors import CHANGES
from core.api.viewsets import BaseViewSet

# Entries are numbered in the order in which they were written.
ORDERING = {"id": "id"}
LATEST_FIRST = ("-id",)


class EventViewSet(BaseViewSet[Event]):
    """What people did or tried: log-ins, refusals, roles given, secrets seen, acts of administration."""

    queryset = Event.objects.all()
    list_serializer_class = serializers.EventSerializer
    filterset_class = filters.EventFilter
    ordering_fields = ORDERING
    default_ordering = LATEST_FIRST


class ChangeViewSet(BaseViewSet[Change]):
    """The history of every row: what was written to it, by whom and in which request."""

    queryset = Change.objects.all()
    discloses = CHANGES
    list_serializer_class = serializers.ChangeSerializer
    filterset_class = filters.ChangeFilter
    ordering_fields = ORDERING
    default_ordering = LATEST_FIRST
