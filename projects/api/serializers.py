"""The JSON shapes of projects: what all have, and under a name of its own what each kind adds."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.serializers import BaseListSerializer, ModelWriteSerializer
from core.customfields.api.fields import CustomFieldsField
from projects.api.details import shown, taken
from projects.kinds import Kind, kind_of, kinds, project_types, written_kinds
from projects.models import ImportantDate, Project


class DateOfProject(serializers.Serializer[Any]):
    """A day as its project shows it."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    date = serializers.DateField()
    description = serializers.CharField()


class ProjectSerializer(BaseListSerializer[Project]):
    owner = UserBrief(help_text="Whose it is.")
    important_dates = DateOfProject(source="date_rows", many=True, read_only=True, help_text="The first one first.")
    is_draft = serializers.BooleanField(help_text="Whether nobody has published it.")
    custom_fields = CustomFieldsField()

    class Meta:
        model = Project
        fields = [
            "id", "project_type", "name", "owner", "start_date", "end_date", "is_draft", "state", "important_dates",
            "custom_fields", "created_at", "updated_at",
        ]  # fmt: skip

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for kind in kinds():
            if self.only is None or kind.details in self.only:
                fields[kind.details] = shown(kind)
                fields[kind.details].read_only = True
        return fields


class ProjectWriter(ModelWriteSerializer[Project]):
    """What changes a project; its type stays what it is."""

    custom_fields = CustomFieldsField(required=False)

    class Meta:
        model = Project
        fields = ["name", "start_date", "end_date", "custom_fields"]

    @property
    def request_example(self) -> Mapping[str, Any]:
        return {"name": "Bridges of paper", "school_data": EXAMPLE}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{kind.details: taken(kind) for kind in written_kinds()}}

    def to_internal_value(self, data: Any) -> Any:
        """Ask for what the kind adds, if there has to be any, and so for each of its columns by name."""
        kind = self._kind(data)
        if isinstance(data, Mapping) and kind is not None and data.get(kind.details) is None and not self.partial:
            data = {**data, kind.details: {}}
        return super().to_internal_value(data)

    def _kind(self, data: Any) -> Kind | None:
        project: Project | None = self.context.get("project")
        kind = None if project is None else kind_of(project.project_type)
        return None if kind is None or kind.is_written_apart else kind


class NewProjectWriter(ProjectWriter):
    project_type = serializers.ChoiceField(choices=())
    is_draft = serializers.BooleanField(default=True, help_text="Drafts that nobody touches are deleted some day.")

    class Meta(ProjectWriter.Meta):
        fields = ["project_type", *ProjectWriter.Meta.fields, "is_draft"]

    @property
    def request_example(self) -> Mapping[str, Any]:
        return {"project_type": "school", "name": "Bridges of paper", "school_data": EXAMPLE}

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["project_type"].choices = project_types()
        return fields

    def _kind(self, data: Any) -> Kind | None:
        given = data.get("project_type") if isinstance(data, Mapping) else None
        kind = kind_of(given) if isinstance(given, str) else None
        return None if kind is None or kind.is_written_apart else kind


class ImportantDateSerializer(BaseListSerializer[ImportantDate]):
    class Meta:
        model = ImportantDate
        fields = ["id", "project", "title", "date", "description", "created_at", "updated_at"]


class ImportantDateWriter(ModelWriteSerializer[ImportantDate]):
    class Meta:
        model = ImportantDate
        fields = ["title", "date", "description"]


EXAMPLE = {"course_name": "Structures", "course_code": "CIV-201", "teacher_name": "Ada Byron"}
