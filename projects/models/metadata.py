"""What somebody notes about a project under names of their own choice."""

from django.db import models
from django.db.models import Q

from core.db.indexes import NamedGinIndex
from core.db.json import ExactEncoder
from core.models import BaseQuerySet, TimeStampedUUIDModel
from projects.models.project import Project

LONGEST_KEY = 64
KEY = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
# Of a value, in bytes of its JSON.
LARGEST_VALUE = 16_384


class ProjectMeta(TimeStampedUUIDModel):
    """One value of any shape, under a key."""

    # Part of the project, and of no meaning without it. The unique constraint below begins with it.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="metadata", db_index=False)
    key = models.CharField(max_length=LONGEST_KEY)
    value = models.JSONField(encoder=ExactEncoder)

    objects = BaseQuerySet["ProjectMeta"].as_manager()

    class Meta:
        verbose_name = "metadata of a project"
        verbose_name_plural = "metadata of projects"
        indexes = (NamedGinIndex(fields=["value"], name="projects_meta_by_value", opclasses=["jsonb_path_ops"]),)
        constraints = (
            models.UniqueConstraint(
                fields=["project", "key"],
                name="projects_projectmeta_one_each",
                violation_error_code="metadata_key_taken",
                violation_error_message="The project has a value under this key.",
            ),
            models.CheckConstraint(
                condition=Q(key__regex=KEY),
                name="projects_projectmeta_key_spelled",
                violation_error_code="invalid_metadata_key",
                violation_error_message="A key is of small letters and digits, with single - and _ between them.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.project_id}: {self.key}"
