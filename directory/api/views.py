"""HTTP for the directory: finding people by what everybody here may know of them."""

from core.api.viewsets import BaseViewSet
from directory.api.filters import DirectoryFilter
from directory.api.serializers import DirectoryEntrySerializer
from directory.models import DirectoryEntry


class DirectoryViewSet(BaseViewSet[DirectoryEntry]):
    """Students and faculty by name, with their department, program and e-mail address.

    Whoever has opted out is not in it, nor is counted.
    """

    queryset = DirectoryEntry.objects.all()
    list_serializer_class = DirectoryEntrySerializer
    filterset_class = DirectoryFilter
    ordering_fields = {"last_name": "person__last_name", "first_name": "person__called_name"}
    default_ordering = ("last_name", "first_name")
    searchable = True
