"""What a kind of project adds: the base of its model, and what its columns are made of."""

from typing import Any

from django.db import models
from django.db.models import Q

from projects.models.project import LONGEST_TYPE, Project


def belongs_to(data: str) -> Any:
    """Return the key of a row that a kind adds: the project's own, under the name of the column that every row has.

    The reference itself is the composite one that the migration makes (`projects.operations.KeepDetails`).
    """
    return models.OneToOneField(
        Project,
        # Part of the project, and of no meaning without it.
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="id",
        db_constraint=False,
        related_name=data,
    )


def type_of_project(project_type: str) -> Any:
    """Return the column that says of which type the project is: of this one, in every row."""
    return models.CharField(max_length=LONGEST_TYPE, default=project_type, editable=False)


def is_of_type(table: str, project_type: str) -> models.CheckConstraint:
    """Return the constraint that every row of a table is of this type."""
    return models.CheckConstraint(
        condition=Q(project_type=project_type),
        name=f"{table}_type",
        violation_error_code="subtype_mismatch",
        violation_error_message="What a kind of project adds belongs to a project of that kind.",
    )


def given(table: str, column: str, title: str) -> models.CheckConstraint:
    """Return the constraint that a text of a table is not empty."""
    return models.CheckConstraint(
        condition=~Q(**{column: ""}),
        name=f"{table}_{column}_given",
        violation_error_code="required",
        violation_error_message=f"{title} is required.",
    )


class ProjectDetails(models.Model):
    """What a project of one kind has beside what every project has."""

    project: Any
    project_type: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.project_type} {self.pk}"
