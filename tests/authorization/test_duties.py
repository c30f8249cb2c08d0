"""Nobody decides about themselves, or about what they asked for, and no service says so in a way of its own."""

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import User
from tests.accounts.factories import PersonFactory
from tests.authorization.concerned import CASES
from tests.authorization.duties import (
    Case,
    Place,
    acts_about_people,
    places,
    refused,
    refusing,
    sources,
    standing_on,
)
from tests.authorization.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
# Which services ask who it is that acts for another reason than to refuse them.
# What people may do about themselves, by service or by file, and why nobody else has to.
THEIRS = {
    "accounts/services/api_keys.py": "a key opens no more than the roles of its account, which others gave",
    "accounts/services/identifiers.py": "a number that stands on a document decides nothing, and a look is on record",
    "accounts/services/parts.py": "a step of the services for students and faculty, which ask",
    "accounts/services/people.py": "names and addresses are one's own to keep right",
    "accounts/services/users.py::create_user": "an account opens nothing before somebody gives it a role",
    "attendance/services/calendar_feeds.py": "one's own timetable",
    "attendance/services/check_ins.py::check_in": "whoever checks in does so for themselves",
    "attendance/services/excusing.py::request_excuse": "others decide about it",
    "attendance/services/excusing.py::update_excuse": "others decide about it, and then it stays as it is",
    "attendance/services/readers.py": "a card says who somebody is, and not where they were",
    "attendance/services/standing_in.py::usual": "reads who teaches",
    "attendance/services/substituting.py": "two teachers agree, each for themselves",
    "courses/services/sections.py": "whoever runs a department plans what they teach in it themselves",
    "enrollment/services/registration.py::drop": "a student's own step",
    "enrollment/services/registration.py::withdraw": "a student's own step",
    "faculty/services/members.py::delete_faculty": "a mistake without a history gives nobody anything",
    "files/services/resuming.py": "one's own files",
    "files/services/uploads.py": "one's own files",
    "interop/services/application.py": "each record is asked about by the service that it goes to",
    "interop/services/exporting.py": "a table of what its reader sees anyway, for themselves",
    "interop/services/jobs.py": "each record is asked about by the service that it goes to",
    "interop/services/reversal.py": "each batch of records is asked about before it is taken back",
    "interop/services/states.py": "a step of an import, which is about the file",
    "interop/services/validation.py": "says what would be, and writes no record",
    "privacy/services/erasures.py::request_erasure": "one's own right; others decide about it",
    "privacy/services/exports.py": "one's own right, or the work of those who answer for others",
    "projects/services/applications.py": "a student's own wishes; an allocation decides",
    "projects/services/attachments.py": "files of one's own work",
    "files/services/attachments.py": "asked about by the service of the record that gets the file",
    "projects/services/dates.py": "notes on one's own work",
    "projects/services/final_year.py::create_final_year_projects": "supervising is work, and nobody is in it yet",
    "projects/services/extensions.py::request_extension": "others decide about it",
    "projects/services/submissions.py::submit_milestone": "a step of those who do the project, which others judge",
    "projects/services/metadata.py": "notes on one's own work",
    "projects/services/states.py": "a step of one's own work, about which nobody decides",
    "projects/services/writing.py": "one's own work, about which nobody decides",
    "projects/services/supervision.py": "each side signs for itself, and nobody decides",
    "students/services/guardians.py::link_guardian": "opens nothing before others have verified it",
    "students/services/guardians.py::revoke_guardian": "takes sight away",
    "students/services/guardians.py::withdraw_consent": "takes sight away",
    "students/services/program_enrollments.py::move": "a step of services that have asked",
    "students/services/students.py::delete_student": "a mistake without a history gives nobody anything",
    "students/services/students.py::opt_out_of_directory": "one's own right",
}
OTHERWISE = {
    "attendance/services/standing_in.py": "whoever teaches the section proposes for themselves",
    "attendance/services/substituting.py": "whoever teaches the session, or was asked, and nobody else",
    "attendance/services/check_ins.py": "whoever checks in does so for themselves",
    "notifications/services/endpoints.py": "the key of whoever is told opens what they are told, and nobody else's",
    "interop/services/exporting.py": "whoever asked for a table fetches it, and nobody else",
    "privacy/services/exports.py": "one's own data are asked for without a reason",
    "privacy/services/erasures.py": "one's own erasure is asked for without a reason",
}


@pytest.mark.checklist(13)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_is_concerned_is_refused(case: Case, world: World) -> None:
    assert refused(case, world)


@pytest.mark.checklist(13)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_is_concerned_in_another_record_of_theirs_is_refused(case: Case, world: World) -> None:
    assert refused(replace(case, actor=recorded_twice(case)), world)


def recorded_twice(case: Case) -> Callable[[Any], User]:
    """Return what finds the same account, of somebody who has been merged into whoever is concerned."""

    def find(own: Any) -> User:
        account = case.actor(own)
        if account.person_id is not None:
            twin = PersonFactory(merged_into_id=account.person_id)
            User.objects.filter(pk=account.pk).update(person=twin)
        found: User = User.objects.get(pk=account.pk)
        return found

    return find


@pytest.mark.checklist(13)
@pytest.mark.parametrize("place", places(), ids=str)
def test_somebody_is_refused_at_every_place_that_says_so(place: Place, world: World) -> None:
    assert list(standing_on(place, CASES, world)), "Add a case to tests/authorization/concerned.py."


def test_no_service_has_a_way_of_its_own_to_say_so() -> None:
    found = {path for path, tree in sources() if "/services/" in path and any(map(asks_who_acts, ast.walk(tree)))}

    assert found == OTHERWISE.keys()


def asks_who_acts(node: ast.AST) -> bool:
    """Say whether a piece of code looks up which person acts, or compares which account does."""
    if isinstance(node, ast.Compare):
        return "by.pk" in map(ast.unparse, (node.left, *node.comparators))
    return isinstance(node, ast.Attribute | ast.Call) and ast.unparse(node) in (
        "by.person_id", "getattr(by, 'person_id', None)",
    )  # fmt: skip


@pytest.mark.checklist(13)
def test_whatever_is_done_about_people_is_refused_to_them_or_is_theirs_to_do(world: World) -> None:
    acts = acts_about_people()
    asked = refusing(CASES, world) & acts.keys()
    said = {name: key for name in acts for key in THEIRS if key in (name, name.partition("::")[0])}

    assert not sorted(acts.keys() - asked - said.keys()), "Ask `may_not_be_same`, with a case, or say why in THEIRS."
    assert not sorted(THEIRS.keys() - said.values()), "What stands in THEIRS is no longer there."
    assert not sorted(asked & said.keys()), "What is refused needs no reason in THEIRS."
