"""Whoever has opted out of the directory appears in no answer to anybody who has nothing to do with them."""

import json

import pytest
from django.db import transaction

from students.models import Student
from tests.authorization import matrix
from tests.authorization.world import OTHER, OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.sweep]

READS = [op for op in matrix.operations() if op.method == "GET"]
# Who has nothing to do with whom: a student with those of the same section, everybody with those of another department.
SEEKERS = {
    "student": ("classmate", "stranger"),
    "other_instructor": ("stranger",),
    "department_head": ("stranger",),
    "teaching_assistant": ("classmate of others", "stranger"),
    "hr_officer": ("stranger", "classmate"),
    "guardian": ("stranger", "classmate"),
}


def hidden_from(world: World) -> dict[str, Student]:
    own, other = world.sides[OWN], world.sides[OTHER]
    return {"classmate": own.classmate, "stranger": other.student, "classmate of others": other.classmate}


def told(world: World, seeker: str, students: list[Student]) -> set[str]:
    """Return by what any answer to a seeker names any of the students."""
    marks = {
        json.dumps(str(mark)): f"{student.student_no} by {name}"
        for student in students
        for name, mark in {
            "id": student.pk, "number": student.student_no, "address": student.person.email,
            "person": student.person_id, "name": student.person.name,
        }.items()
    }  # fmt: skip
    found = set()
    for op in READS:
        for target in (OWN, OTHER) if op.names_a_row else (OWN,):
            answer = matrix.ask(world, op, seeker, target, f"?page_size={matrix.PAGE}" if op.route.lists else "")
            found |= {f"{op} names {who}" for mark, who in marks.items() if mark in answer.comparable}
    return found


@pytest.mark.checklist(84)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeker", SEEKERS)
def test_no_answer_names_who_opted_out_to_somebody_without_a_reason(world: World, seeker: str) -> None:
    students = [hidden_from(world)[who] for who in SEEKERS[seeker]]
    world.written = matrix.written()
    with transaction.atomic():
        Student.objects.filter(pk__in=[student.pk for student in students]).update(directory_opt_out=True)
        found = told(world, seeker, students)
        transaction.set_rollback(True)

    assert not found


@pytest.mark.checklist(84)
@pytest.mark.timeout(300)
def test_the_directory_alone_names_who_did_not(world: World) -> None:
    world.written = matrix.written()
    stranger = hidden_from(world)["stranger"]

    assert {fact.partition(" by ")[0] for fact in told(world, "other_student", [stranger])} == {
        f"GET directory/ names {stranger.student_no}"
    }
