"""The JSON shape of an entry of the directory."""

from typing import Any

from rest_framework import serializers

from core.api.serializers import BaseListSerializer
from departments.api.serializers import DepartmentBrief
from directory.models import DirectoryEntry


class EntryProgram(serializers.Serializer[Any]):
    """The primary program of a student."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()


class DirectoryEntrySerializer(BaseListSerializer[DirectoryEntry]):
    name = serializers.CharField(source="person.name")
    email = serializers.EmailField(source="person.email", allow_blank=True)
    department = DepartmentBrief()
    program = EntryProgram(allow_null=True, help_text="The primary program of a student.")

    class Meta:
        model = DirectoryEntry
        fields = ["id", "kind", "name", "email", "department", "program"]
