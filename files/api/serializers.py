"""The JSON shapes of files."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.parsers import MAX_INTEGER
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.uploads import FormWriter
from files.models import LONGEST_NAME, FileAsset, FileUpload


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


class UploadSerializer(BaseListSerializer[FileUpload]):
    class Meta:
        model = FileUpload
        fields = ["id", "name", "size", "offset", "expires_at", "file", "created_at", "updated_at"]


class UploadWriter(WriteSerializer):
    """What a file will be called, and how many bytes it will have; clients of tus say so in headers."""

    request_example: ClassVar = {"name": "essay.pdf", "size": 1048576}

    name = serializers.CharField(max_length=LONGEST_NAME, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0, max_value=MAX_INTEGER)
