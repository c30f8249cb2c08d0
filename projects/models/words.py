"""By which words a project is found, kept by the database: triggers write them with whatever they are taken from."""

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func

from core.db.indexes import NamedGinIndex
from core.models import BaseQuerySet
from projects.models.project import Project


class Joined(Func):
    """Several vectors as one."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = SearchVectorField()


class ProjectWords(models.Model):
    """The words of a project: of its name, of what its kind adds, and of what is noted about it."""

    # Part of the project, and of no meaning without it.
    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="words")
    of_name = SearchVectorField(default="", db_default="", editable=False)
    of_details = SearchVectorField(default="", db_default="", editable=False)
    of_notes = SearchVectorField(default="", db_default="", editable=False)
    words = models.GeneratedField(
        expression=Joined(F("of_name"), F("of_details"), F("of_notes")),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = BaseQuerySet["ProjectWords"].as_manager()

    class Meta:
        verbose_name = "words of a project"
        verbose_name_plural = "words of projects"
        indexes = (NamedGinIndex(fields=["words"], name="projects_words"),)

    def __str__(self) -> str:
        return str(self.project_id)
