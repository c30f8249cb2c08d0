"""Query parameters of files."""

from core.api import filters
from files.models import FileAsset, ScanState
from files.types import KNOWN


class FileFilter(filters.StrictFilterSet):
    media_type = filters.MultipleChoiceFilter(choices=[(each, each) for each in sorted(KNOWN)])
    owner = filters.UUIDFilter(field_name="owner_id")
    scan_state = filters.MultipleChoiceFilter(choices=ScanState.choices)
    sha256 = filters.CharFilter()

    class Meta:
        model = FileAsset
        fields = ["media_type", "owner", "scan_state", "sha256"]
