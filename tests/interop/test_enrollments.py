"""Imported enrolments: history is recorded as it is, and what is still to come is held to the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from courses.models import Section
from enrollment.models import Enrollment, EnrollmentEvent
from enrollment.services import OverrideNotPermittedError
from interop import services
from interop.models import ImportJob, ImportState
from students.models import Student
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.interop.importing import imported, reasons, table, totals, validated
from tests.racing import at_once
from tests.students.factories import StudentFactory

BEYOND = {"beyond_capacity": True}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def section() -> Section:
    return SectionFactory(code="01", course__code="CS1", term__code="T", capacity=2)


def rows(number: int, **more: str) -> list[dict[str, str]]:
    """Return rows that enrol so many students in the section."""
    for student in range(number):
        StudentFactory(student_no=f"S{student}")
    at = {"course_code": "CS1", "section_code": "01", "term": "T"}
    return [{"student_no": f"S{student}", **at, **more} for student in range(number)]


def in_state(section: Section, state: str) -> None:
    section.term.state = state
    section.term.save()


def notes(job: ImportJob) -> list[list[str]]:
    return [[note["code"] for note in row.notes] for row in job.rows.order_by("position")]


def taken(section: Section) -> tuple[int, int]:
    section.refresh_from_db()
    return section.enrolled_count, section.override_seats


@pytest.mark.django_db
class TestTermsThatAreNotOver:
    def test_no_seat_is_sold_twice_and_the_preview_says_so(self, place: Path, section: Section) -> None:
        EnrollmentFactory(section=section)

        preview = validated("enrollments", table(place, *rows(3)))

        full = [(3, "section_full", "section"), (4, "section_full", "section")]
        assert reasons(preview) == full
        job = services.apply(preview.pk, by=None)
        assert job.state == ImportState.PARTIALLY_APPLIED
        assert (totals(job), reasons(job)) == ((1, 0, 0, 2), full)
        assert taken(section) == (2, 0)

    def test_the_preview_counts_the_seats_of_the_whole_file(self, place: Path, section: Section) -> None:
        job = services.from_path(by=None, kind="enrollments", path=table(place, *rows(3)))

        services.validate(job.pk, by=None, chunk_size=1)

        assert reasons(job) == [(4, "section_full", "section")]

    def test_seats_that_went_since_the_preview_are_not_sold_again(self, place: Path, section: Section) -> None:
        preview = validated("enrollments", table(place, *rows(2)))
        EnrollmentFactory(section=section)

        job = services.apply(preview.pk, by=None)

        assert reasons(job) == [(3, "section_full", "section")]
        assert taken(section) == (2, 0)

    def test_a_row_that_the_database_refuses_leaves_its_seat_to_the_next(self, place: Path, section: Section) -> None:
        given = rows(3)
        other = SectionFactory(code="02", course=section.course, term=section.term)
        preview = validated("enrollments", table(place, *given[:2]))
        EnrollmentFactory(section=other, student__student_no="S9")
        Enrollment.objects.filter(section=other).update(student=Student.objects.get(student_no="S0"))
        Section.objects.filter(pk=section.pk).update(capacity=1)

        job = services.apply(preview.pk, by=None)

        assert reasons(job) == [(2, "duplicate_enrollment", "")]
        assert taken(section) == (1, 0)

    @pytest.mark.parametrize(
        ("status", "code"),
        [("planned", "section_not_open"), ("closed", "section_not_open"), ("cancelled", "section_cancelled")],
    )
    def test_a_section_that_is_not_open_takes_nobody(
        self, place: Path, section: Section, status: str, code: str
    ) -> None:
        Section.objects.update(status=status)

        job = imported("enrollments", table(place, *rows(1)))

        assert (job.state, reasons(job)) == (ImportState.FAILED, [(2, code, "section")])

    def test_neither_does_a_term_before_registration(self, place: Path, section: Section) -> None:
        in_state(section, "planned")

        assert reasons(validated("enrollments", table(place, *rows(1)))) == [(2, "term_closed", "section")]

    def test_every_rule_is_named_at_once(self, place: Path, section: Section) -> None:
        Section.objects.update(status="closed", capacity=0)
        given = rows(1, credits="99")
        Student.objects.update(status="suspended")

        found = reasons(validated("enrollments", table(place, *given)))

        assert {code for _, code, _ in found} == {
            "student_not_active", "section_not_open", "section_full", "credits_out_of_range",
        }  # fmt: skip

    def test_what_takes_no_seat_is_recorded(self, place: Path, section: Section) -> None:
        Section.objects.update(capacity=0, status="closed")

        job = imported("enrollments", table(place, *rows(1, status="withdrawn", dropped_on="2026-10-01")))

        assert (totals(job), taken(section)) == ((1, 0, 0, 0), (0, 0))

    def test_who_comes_back_needs_a_seat(self, place: Path, section: Section) -> None:
        given = rows(1)
        imported("enrollments", table(place, {**given[0], "status": "withdrawn", "dropped_on": "2026-10-01"}))
        EnrollmentFactory.create_batch(2, section=section)

        preview = validated("enrollments", table(place, {**given[0], "status": "enrolled"}))
        assert reasons(preview) == [(2, "section_full", "section")]

        job = imported("enrollments", place, options=BEYOND, force=True)
        assert (totals(job), notes(job), taken(section)) == ((0, 1, 0, 0), [["over_capacity"]], (3, 1))


@pytest.mark.django_db
class TestHistory:
    @pytest.mark.parametrize("state", ["grading", "closed", "archived"])
    def test_it_is_recorded_over_capacity_and_says_so(self, place: Path, section: Section, state: str) -> None:
        in_state(section, state)

        preview = validated("enrollments", table(place, *rows(3)))
        assert (notes(preview), services.over_capacity(preview)) == ([[], [], ["over_capacity"]], 1)

        job = services.apply(preview.pk, by=None)
        assert (totals(job), taken(section)) == ((3, 0, 0, 0), (3, 1))
        assert (notes(job), services.over_capacity(job)) == ([[], [], ["over_capacity"]], 1)
        assert "Over capacity, recorded as history." in "".join(services.report(job))

    def test_every_enrolment_has_a_beginning(self, place: Path, section: Section, registrar: Any) -> None:
        job = validated("enrollments", table(place, *rows(2)))

        services.apply(job.pk, by=registrar)

        begun = EnrollmentEvent.objects.values_list("from_status", "to_status", "actor", "overridden")
        assert list(begun) == [("", "enrolled", registrar.pk, [])] * 2
        services.revert(job.pk, by=None)
        assert not EnrollmentEvent.objects.exists()

    def test_a_chunk_costs_one_insert_of_enrolments_and_one_of_their_histories(
        self, place: Path, section: Section
    ) -> None:
        in_state(section, "closed")
        given = rows(10)
        costs = []
        for part in (given[:2], given[2:]):
            job = validated("enrollments", table(place, *part))
            with CaptureQueriesContext(connection) as queries:
                services.apply(job.pk, by=None)
            costs.append(len(queries))

        assert costs[0] == costs[1]
        assert Enrollment.objects.count() == EnrollmentEvent.objects.count() == 10


@pytest.mark.django_db
class TestBeyondCapacity:
    def test_rules_that_can_be_waived_are_and_the_history_says_which(self, place: Path, section: Section) -> None:
        Section.objects.update(status="closed")

        job = imported("enrollments", table(place, *rows(3)), options=BEYOND)

        assert (totals(job), taken(section)) == ((3, 0, 0, 0), (3, 1))
        assert notes(job) == [["rule_waived"], ["rule_waived"], ["rule_waived", "over_capacity"]]
        events = EnrollmentEvent.objects.order_by("enrollment__student__student_no")
        assert [event.overridden for event in events] == [
            ["section_not_open"], ["section_not_open"], ["section_not_open", "section_full"],
        ]  # fmt: skip

    def test_a_cancelled_section_takes_nobody(self, place: Path, section: Section) -> None:
        Section.objects.update(status="cancelled")

        job = imported("enrollments", table(place, *rows(1)), options=BEYOND)

        assert reasons(job) == [(2, "section_cancelled", "section")]

    def test_it_takes_the_permission_to_waive_rules_everywhere(
        self, place: Path, section: Section, user_with: Any
    ) -> None:
        file = table(place, *rows(1))
        somebody = user_with(Role.DEPARTMENT_HEAD)

        with pytest.raises(OverrideNotPermittedError) as refusal:
            services.from_path(by=somebody, kind="enrollments", path=file, options=BEYOND)

        assert refusal.value.field == "options"
        assert not ImportJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_do_not_oversell(tmp_path: Path) -> None:
    section = SectionFactory(code="01", course__code="CS1", term__code="T", capacity=3)
    given = rows(6)
    files = [table(tmp_path / f"{part}.csv", *given[part::2]) for part in range(2)]
    jobs = [validated("enrollments", file) for file in files]

    def applying(job: ImportJob) -> Callable[[], tuple[int, int, int, int]]:
        return lambda: totals(services.apply(job.pk, by=None))

    outcomes = at_once(*map(applying, jobs))

    assert sum(created for created, *_ in outcomes) == 3
    assert taken(section) == (3, 0)
    assert EnrollmentEvent.objects.count() == 3
