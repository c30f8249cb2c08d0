"""The JSON shapes of files."""

from typing import Any

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.serializers import BaseListSerializer
from core.api.uploads import FormWriter
from files.models import FileAsset


class FileSerializer(BaseListSerializer[FileAsset]):
    owner = UserBrief(help_text="Who uploaded it.")

    class Meta:
        model = FileAsset
        fields = ["id", "name", "media_type", "size", "sha256", "scan_state", "owner", "created_at", "updated_at"]


class FileUploadWriter(FormWriter):
    """A form with the file, whose name is the one in its part."""

    # An empty file has a code of its own, given by the service.
    file = serializers.FileField(allow_empty_file=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the service, which measures the file."""
        content = attrs.pop("file")
        return {**attrs, "content": content, "name": content.name}
