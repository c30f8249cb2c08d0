"""Packages whose terms and academic years contradict each other, or what is here already."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from departments.models import AcademicYear, Term
from interop.models import ImportJob
from interop.services import apply, revert
from tests.departments.factories import TermFactory
from tests.interop.data import dump
from tests.interop.importing import imported, reasons, totals, validated
from tests.interop.packages import TERM, YEAR, package, school

pytestmark = pytest.mark.django_db
SUMMER = {**TERM, "sourcedId": "summer", "title": "Summer", "startDate": "2125-06-20", "endDate": "2125-08-10"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "package.zip"


@pytest.fixture
def brought(place: Path) -> ImportJob:
    """A year and its only term, of an earlier package."""
    return imported("oneroster", package(place, school()))


def sessions(place: Path, *rows: dict[str, str]) -> Path:
    return package(place, {"academicSessions": list(rows)}, mode="delta")


def spans() -> dict[str, tuple[str, str]]:
    rows: list[Any] = [*AcademicYear.objects.all(), *Term.objects.all()]
    return {row.code: (str(row.starts_on), str(row.ends_on)) for row in rows}


def test_a_term_outside_its_year_is_refused_and_the_preview_says_so(place: Path) -> None:
    rows = school()
    rows["academicSessions"].append(dict(SUMMER))

    job = validated("oneroster", package(place, rows))

    assert reasons(job) == [(4, "outside_academic_year", "ends_on")]
    apply(job.pk, by=None)
    assert spans() == {"year-1": ("2124-08-01", "2125-06-30"), "term-1": ("2124-08-01", "2124-12-20")}


@pytest.mark.usefixtures("brought")
def test_a_year_and_a_new_term_are_lengthened_together(place: Path) -> None:
    job = imported("oneroster", sessions(place, {**YEAR, "endDate": "2125-08-31"}, SUMMER))

    assert totals(job) == (1, 1, 0, 0)
    assert spans()["year-1"] == ("2124-08-01", "2125-08-31")


@pytest.mark.usefixtures("brought")
def test_a_year_goes_on_holding_terms_that_the_package_moves_after_it(place: Path) -> None:
    moved = (
        {**YEAR, "startDate": "2124-09-01", "endDate": "2125-07-31"},
        {**TERM, "startDate": "2124-09-01", "endDate": "2125-01-20"},
    )
    before = dump()

    job = imported("oneroster", sessions(place, *moved))

    (note,) = job.rows.get(resource="academic-years").notes
    assert (note["code"], note["field"]) == ("holds_its_terms", "starts_on")
    assert totals(job) == (0, 2, 0, 0)
    assert spans() == {"year-1": ("2124-08-01", "2125-07-31"), "term-1": ("2124-09-01", "2125-01-20")}

    again = imported("oneroster", sessions(place, *moved), force=True)

    assert totals(again) == (0, 1, 1, 0)
    assert spans()["year-1"] == ("2124-09-01", "2125-07-31")
    for done in (again, job):
        revert(done.pk, by=None)
    assert dump() == before


@pytest.mark.usefixtures("brought")
def test_a_year_is_not_cut_shorter_than_a_term_that_somebody_added(place: Path) -> None:
    AcademicYear.objects.update(ends_on=date(2125, 8, 31))
    TermFactory(
        code="S", academic_year=AcademicYear.objects.get(), starts_on=date(2125, 7, 1), ends_on=date(2125, 8, 31)
    )

    job = imported("oneroster", sessions(place, {**YEAR, "title": "Another name"}))

    assert totals(job) == (0, 1, 0, 0)
    assert spans()["year-1"] == ("2124-08-01", "2125-08-31")
