"""Tables that were asked for, when somebody is erased who may be in them."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Person
from accounts.roles import Role
from core.models import PreparedState as State
from interop import services
from interop.models import ExportJob
from interop.services import making
from privacy.services import erase_person
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import outcome_of, while_uncommitted

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(88)]


@pytest.fixture(autouse=True)
def export_root(settings, tmp_path):
    settings.EXPORT_ROOT = tmp_path / "exports"
    return tmp_path / "exports" / "tables"


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Let what waits for the commit happen at the end of a block."""
    return django_capture_on_commit_callbacks


def attended(**person):
    """Somebody who has left, and who was in one class."""
    names = {"student__person__" + name: value for name, value in person.items()}
    enrollment = EnrollmentFactory(section=SectionFactory(), student__status="graduated", enrolled_at=None, **names)
    AttendanceRecordFactory(
        session=ClassSessionFactory(section=enrollment.section), enrollment=enrollment, code=usual_codes().absent
    )
    return SimpleNamespace(enrollment=enrollment, person=enrollment.student.person, section=enrollment.section)


@pytest.fixture
def ada():
    return attended(first_name="Ada", last_name="Lovelace", preferred_name="Augusta")


def asked(by, section, kind="attendance_records", **filters):
    filters = {"section": str(section.pk)} | {name: str(value) for name, value in filters.items()}
    return services.request_export(by=by, kind=kind, filters=filters)


def made(by, section, **question):
    job = services.make_export(asked(by, section, **question).pk, at=timezone.now())
    assert job.state == State.READY
    return job


def erase(side):
    """Erase somebody and return what that concerned, as a dry run has said before."""
    expected = erase_person(side.person.pk, dry_run=True)
    counts = erase_person(side.person.pk, dry_run=False)
    assert counts == expected
    return counts


def test_those_that_show_them_are_gone_and_those_of_others_stay(registrar, ada, user_with, export_root, committed):
    shows, does_not = made(registrar, ada.section), made(user_with(Role.REGISTRAR), attended().section)

    with committed(execute=True):
        assert erase(ada)["interop.ExportJob, showing or naming"] == 1

    shows.refresh_from_db()
    assert (shows.state, shows.stored_name) == (State.EXPIRED, "")
    does_not.refresh_from_db()
    assert does_not.state == State.READY
    assert [place.name for place in export_root.iterdir()] == [does_not.stored_name]
    assert "interop.ExportJob, showing or naming" not in erase_person(ada.person.pk, dry_run=False)


def test_those_that_show_a_duplicate_are_gone_too(registrar, ada):
    other = attended()
    Person.objects.filter(pk=other.person.pk).update(merged_into=ada.person)
    shows = made(registrar, other.section)

    erase(ada)

    shows.refresh_from_db()
    assert shows.state == State.EXPIRED


def test_what_they_took_away_themselves_is_gone(ada, user_with):
    student = user_with(Role.STUDENT, "self", person=ada.person)
    own = made(student, ada.section)
    student.is_active = False
    student.save()

    erase(ada)

    own.refresh_from_db()
    assert (own.state, own.filters) == (State.EXPIRED, {})


def test_what_is_being_written_is_begun_anew_and_shows_nobody_who_is_erased(
    registrar, ada, export_root, monkeypatch, work
):
    job = asked(registrar, ada.section, kind="attendance_records")
    say = making._Run.say

    def erasing(run, **facts):
        monkeypatch.setattr(making._Run, "say", say)
        say(run, **facts)
        erase_person(ada.person.pk, dry_run=False)

    monkeypatch.setattr(making._Run, "say", erasing)
    late = services.make_export(job.pk, at=timezone.now())

    job.refresh_from_db()
    assert (late, job.state, job.run_id, job.attempts) == (None, State.REQUESTED, None, 0)
    assert list(export_root.iterdir()) == []
    assert work() == 2  # woken when it was asked for, and again
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.READY, 1)


@pytest.mark.parametrize(
    "named",
    [
        lambda side: {"search": "Lovelace, A."}, lambda side: {"search": "of augusta"},
        lambda side: {"search": "lovelase"}, lambda side: {"search": side.enrollment.student.student_no},
        lambda side: {"student": side.enrollment.student_id},
    ],
)  # fmt: skip
def test_filters_that_name_them_are_emptied(registrar, ada, named):
    job = made(registrar, ada.section, kind="attendance_shortages", **named(ada))
    waits = asked(registrar, ada.section, kind="attendance_shortages", **named(ada))
    other = asked(registrar, ada.section, kind="attendance_shortages", search="Zuse", student=uuid4())

    erase(ada)

    for each in (job, waits, other):
        each.refresh_from_db()
    assert (job.filters, waits.filters, waits.state, waits.failure) == ({}, {}, State.FAILED, "person_erased")
    assert (other.filters["search"], other.state) == ("Zuse", State.REQUESTED)


def test_a_dry_run_changes_nothing(registrar, ada):
    job = made(registrar, ada.section, kind="attendance_shortages", search="Lovelace")
    before = ExportJob.objects.values().get()

    assert erase_person(ada.person.pk, dry_run=True)["interop.ExportJob, showing or naming"] == 1

    assert ExportJob.objects.values().get() == before
    assert job.filters["search"] == "Lovelace"


@pytest.mark.django_db(transaction=True)
def test_a_worker_begins_only_once_an_erasure_is_over(registrar, ada):
    """What begins meanwhile would read the names that are about to go, and nobody would stop it."""
    jobs = []

    def erased():
        erase_person(ada.person.pk, dry_run=False)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(outcome_of, lambda: asked(registrar, ada.section, kind="attendance_shortages"))
            jobs.append(asking.result(timeout=60))

    done = while_uncommitted(erased, lambda: services.make_export(jobs[0].pk, at=timezone.now()))

    assert done.state == State.READY
    content = b"".join(services.open_export(done, by=registrar, at=timezone.now())).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert row["last_name"].startswith("Erased") or row["called_name"].startswith("Erased")
