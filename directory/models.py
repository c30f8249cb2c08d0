"""The directory: what a university says of its people to anybody who belongs to it.

`directory_entry` is a view of the database. Whoever has opted out of it, or is no longer here, has no row in it, for
whoever asks and however: no query can forget to leave them out. It has no column that is no directory information:
neither a student number nor a birth date can be shown, found or counted by way of it (34 CFR 99.3, 99.37).
"""

from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject

from accounts.models import Person
from core.models import BaseQuerySet
from departments.models import Department
from students.models import ProgramEnrollment


class Kind(models.TextChoices):
    STUDENT = "student", "Student"
    FACULTY = "faculty", "Faculty"


class DirectoryEntryQuerySet(BaseQuerySet["DirectoryEntry"]):
    def for_api(self) -> Self:
        program = ProgramEnrollment.objects.filter(student=OuterRef("pk"), is_primary=True)
        shown = program.values(json=JSONObject(id="program_id", code="program__code", name="program__name"))
        return self.select_related("person", "department").annotate(program=Subquery(shown))


class DirectoryEntry(models.Model):
    """A student or a member of faculty whom everybody here may find, under the id that they have as such."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.DO_NOTHING, related_name="+")

    # By the name that is shown, not by one that somebody prefers not to be called by.
    search_paths: ClassVar = ("person__search_name",)

    objects = DirectoryEntryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "directory_entry"
        verbose_name_plural = "directory entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
