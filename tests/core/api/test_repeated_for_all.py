"""Lists that are made again by their statement, for everybody whom the policy knows: the view's answer to each."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Person
from audit.models import Disclosure
from core.api import precedents
from core.api.serializers import expansions
from tests.authorization.world import OWN, World, populated
from tests.contract.routes import Route, routes
from tests.core.api.test_repeated import told
from tests.core.api.wire import Wire, lease, viewed
from tests.local.conftest import eventually

__all__ = ["lease", "viewed"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sweep]

REPEATED: list[Route] = [route for route in routes() if route.lists and route.view.repeats]
QUERIES = ("", "?page=1&page_size=2", "?page_size=1&ordering=-created_at")
# Whom generations do not vouch for are answered by the view each time.
PROGRAMS = {"integration", "narrow_key"}
FACTS = ("what", "subject_id", "actor_id", "basis", "route")


@dataclass
class Asked:
    """An answer, who was put on record for it, and whether a view was asked for it."""

    answer: Any
    on_record: set[Any]
    by_view: bool

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.answer[1]["data"]
        return rows


def urls() -> list[str]:
    """Return what is asked of each list, with all that can be included as well."""
    included = [f"{each.path}?include={','.join(expansions(each.view.list_serializer_class))}" for each in REPEATED]
    return [each.path + query for each in REPEATED for query in QUERIES] + included


def ask(client: Wire, url: str, paths: list[str]) -> Asked:
    before = set(Disclosure.objects.values_list("pk", flat=True))
    paths.clear()
    answer = client.get(url)
    made = Disclosure.objects.exclude(pk__in=before).values_list(*FACTS)
    return Asked(told(answer), set(made), bool(paths))


def repetition(client: Wire, url: str, paths: list[str], *, of: Asked, is_made: bool) -> Asked:
    """Return the next answer, by the statement where there is one, once the servers that it needs are answering."""
    found: list[Asked] = []

    def is_as_it_should_be() -> bool:
        found.append(ask(client, url, paths))
        return found[-1].answer != of.answer or not of.rows or found[-1].by_view != is_made

    eventually(is_as_it_should_be)
    return found[-1]


@pytest.fixture
def world() -> World:
    """Provide the world of the matrix as it stands when it was committed, in which one student has opted out."""
    with transaction.atomic():
        world = populated()
        classmate = world.sides[OWN].classmate
        Person.objects.filter(pk=classmate.person_id).update(preferred_name="Called otherwise")
        classmate.directory_opt_out = True
        classmate.save()
    return world


def test_every_caller_is_told_by_the_statement_what_the_view_tells(world: World, viewed: list[str]) -> None:
    repeated: set[str] = set()
    hidden: set[bool] = set()
    for name, client in world.clients.items():
        wire = Wire(client)
        for url in urls():
            precedents._precedents.clear()
            first = ask(wire, url, viewed)
            if first.answer[0] != 200:
                continue
            again = repetition(wire, url, viewed, of=first, is_made=name not in PROGRAMS)
            precedents._precedents.clear()
            by_view = ask(wire, url, viewed)

            assert again.answer == first.answer == by_view.answer, (name, url)
            assert again.on_record == first.on_record == by_view.on_record, (name, url)
            assert first.by_view
            assert by_view.by_view
            # Where nobody may see any row there is no statement to repeat.
            assert again.by_view == (name in PROGRAMS) or not first.rows, (name, url)
            if not again.by_view:
                repeated.add(name)
                hidden |= {each["custom_fields"]["blood_type"] is None for each in first.rows if "student_no" in each}

    assert {"registrar", "student", "instructor", "advisor", "guardian", "department_head"} <= repeated
    assert {"program_coordinator", "teaching_assistant", "exam_controller", "auditor", "system_admin"} <= repeated
    assert hidden == {False, True}
