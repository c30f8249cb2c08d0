"""Final projects as they begin: many of them together, each with a code of its own."""

from collections.abc import Sequence
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import IntegerField, Max
from django.db.models.functions import Cast, Substr

from core import customfields
from core.db.constraints import refusing
from core.db.locks import lock_named
from core.visibility import Actor
from faculty.models import Faculty
from projects.models import FINAL_YEAR, FinalYearProject, Project, ProjectCycle, ProjectState, Topic

# A code begins with P and the year in two digits.
PREFIX = 3
BATCH = 1_000


class NewFinalYearProject(TypedDict):
    """What there is to know of a final project before it has members; whoever owns it answers for it."""

    supervisor: Faculty
    topic: Topic | None
    topic_local: str
    topic_en: str
    owner_id: UUID | None


@transaction.atomic
def create_final_year_projects(
    cycle: ProjectCycle, begun: Sequence[NewFinalYearProject], *, by: Actor | None
) -> list[FinalYearProject]:
    """Begin final projects that have no members yet, many by as few statements as one, with the next codes of the year.

    Whoever asks owns those that nobody does. Custom fields have their defaults: what is required besides waits for
    somebody to fill it in, as it does where a field is defined after the project.
    """
    customfields.hold(Project)
    definitions = customfields.definitions_of(Project)
    # A command asks for nobody: then whoever supervises has an account, or the row is refused.
    asking: Any = getattr(by, "pk", None)
    projects = [
        Project(
            project_type=FINAL_YEAR.project_type, name=each["topic_local"], owner_id=each["owner_id"] or asking,
            state=ProjectState.ACTIVE, custom_data=customfields.defaults_of(definitions),
        )
        for each in begun
    ]  # fmt: skip
    with refusing():
        Project.objects.bulk_create(projects, batch_size=BATCH)
        customfields.apply_unique_many(Project, {each.pk: each.custom_data for each in projects}, definitions)
        # From here on all other programs of the year wait.
        codes = next_codes(cycle, len(projects))
        rows = [
            FinalYearProject(
                project=project, code=code, cycle=cycle, supervisor=each["supervisor"], topic=each["topic"],
                topic_local=each["topic_local"], topic_en=each["topic_en"],
            )
            for project, code, each in zip(projects, codes, begun, strict=True)
        ]  # fmt: skip
        return FinalYearProject.objects.bulk_create(rows, batch_size=BATCH)


def next_codes(cycle: ProjectCycle, count: int) -> list[str]:
    """Return the next codes of the year in which a cycle begins; others wait until this transaction is over."""
    prefix = f"P{cycle.academic_year.starts_on.year % 100:02}"
    lock_named("projects.codes", prefix)
    number = Cast(Substr("code", PREFIX + 1), IntegerField())
    last = FinalYearProject.objects.filter(code__startswith=prefix).aggregate(last=Max(number))["last"] or 0
    return [f"{prefix}{last + place:03}" for place in range(1, count + 1)]
