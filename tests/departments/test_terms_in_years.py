"""A term lies within its academic year: over HTTP, in the administration, among many, and at the same time."""

from datetime import date
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from departments import services
from departments.models import AcademicYear, Term
from tests.departments.factories import AcademicYearFactory, TermFactory
from tests.racing import while_uncommitted

pytestmark = pytest.mark.django_db
TERMS, YEARS = "/api/v1/terms/", "/api/v1/academic-years/"
DAYS = {"starts_on": "2026-09-01", "ends_on": "2027-08-31"}


@pytest.fixture
def year() -> AcademicYear:
    return AcademicYearFactory(code="2026/27", starts_on=date(2026, 9, 1), ends_on=date(2027, 8, 31))


@pytest.fixture
def term(year: AcademicYear) -> Term:
    return TermFactory(code="FA", academic_year=year, starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 31))


def refusals(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 409, answer.content
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


class TestATerm:
    @pytest.mark.parametrize(
        ("days", "fields"),
        [
            ({"starts_on": "2026-08-31"}, ["starts_on"]),
            ({"ends_on": "2027-09-01"}, ["ends_on"]),
            ({"starts_on": "2025-09-01", "ends_on": "2028-08-31"}, ["starts_on", "ends_on"]),
        ],
    )
    def test_is_not_planned_outside_its_year(self, registrar_client, year, days, fields):
        body = {"code": "FA", "name": "Fall", "academic_year": str(year.pk), **DAYS, **days}

        answer = registrar_client.post(TERMS, body, format="json")

        assert refusals(answer) == [("outside_academic_year", field) for field in fields]
        assert answer.json()["errors"][0]["meta"] == {"academic_year": "2026/27", **DAYS}
        assert not Term.objects.exists()

    def test_may_last_as_long_as_its_year(self, registrar_client, year):
        body = {"code": "FA", "name": "Fall", "academic_year": str(year.pk), **DAYS}

        assert registrar_client.post(TERMS, body, format="json").status_code == 201

    def test_does_not_leave_its_year_by_its_days_nor_by_its_year(self, registrar_client, term):
        other = AcademicYearFactory(starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))

        moved = registrar_client.patch(f"{TERMS}{term.pk}/", {"ends_on": "2027-09-01"}, format="json")
        elsewhere = registrar_client.patch(f"{TERMS}{term.pk}/", {"academic_year": str(other.pk)}, format="json")
        both = registrar_client.patch(
            f"{TERMS}{term.pk}/", {"academic_year": str(other.pk), "starts_on": "2027-01-01"}, format="json"
        )

        assert refusals(moved) == [("outside_academic_year", "ends_on")]
        assert refusals(elsewhere) == [("outside_academic_year", "starts_on")]
        assert both.status_code == 200
        assert Term.objects.get().academic_year == other

    def test_is_refused_by_itself_among_many(self, registrar_client, year):
        items = [
            {"code": str(month), "name": "Short", "academic_year": str(year.pk), "starts_on": f"2027-0{month}-01",
             "ends_on": f"2027-0{month}-28"}
            for month in (8, 9)
        ]  # fmt: skip

        answer = registrar_client.post(f"{TERMS}bulk-create/", {"items": items, "mode": "best_effort"}, format="json")

        assert [result["status"] for result in answer.json()["data"]["results"]] == ["created", "refused"]
        assert Term.objects.get().code == "8"


class TestAYear:
    @pytest.mark.parametrize(
        ("days", "fields"),
        [
            ({"starts_on": "2026-09-02"}, ["starts_on"]),
            ({"ends_on": "2027-01-30"}, ["ends_on"]),
            ({"starts_on": "2026-10-01", "ends_on": "2026-12-31"}, ["starts_on", "ends_on"]),
        ],
    )
    def test_is_not_moved_away_from_its_terms(self, registrar_client, year, term, days, fields):
        answer = registrar_client.patch(f"{YEARS}{year.pk}/", days, format="json")

        assert refusals(answer) == [("terms_outside_year", field) for field in fields]
        assert answer.json()["errors"][0]["meta"] == {"first_day": "2026-09-01", "last_day": "2027-01-31"}
        year.refresh_from_db()
        assert year.ends_on == date(2027, 8, 31)

    def test_may_be_as_short_as_its_terms_and_longer(self, registrar_client, year, term):
        for days in ({"ends_on": "2027-01-31"}, {"starts_on": "2026-01-01", "ends_on": "2028-01-01"}):
            assert registrar_client.patch(f"{YEARS}{year.pk}/", days, format="json").status_code == 200

    def test_without_terms_goes_anywhere(self, registrar_client, year):
        days = {"starts_on": "2030-01-01", "ends_on": "2030-12-31"}

        assert registrar_client.patch(f"{YEARS}{year.pk}/", days, format="json").status_code == 200


class TestInTheAdministration:
    def test_a_form_says_why_a_term_stays_where_it_is(self, client, registrar, year, term):
        client.force_login(registrar)
        body = {"academic_year": year.pk, "code": "FA", "name": "Fall", "starts_on": "2026-09-01"}

        page = client.post(reverse("admin:departments_term_change", args=[term.pk]), {**body, "ends_on": "2027-09-01"})

        assert page.status_code == 200
        assert "The academic year 2026/27 lasts from 2026-09-01 to 2027-08-31." in page.content.decode()
        assert Term.objects.get().ends_on == date(2027, 1, 31)

    def test_a_form_says_why_a_year_stays_as_it_is(self, client, registrar, year, term):
        client.force_login(registrar)

        page = client.post(
            reverse("admin:departments_academicyear_change", args=[year.pk]),
            {"code": year.code, "name": year.name, "starts_on": "2026-09-01", "ends_on": "2026-12-31"},
        )

        assert page.status_code == 200
        assert "The terms of the year last from 2026-09-01 to 2027-01-31." in page.content.decode()


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_a_term_waits_for_its_year_to_be_shortened(self):
        year = AcademicYearFactory()
        as_read = AcademicYear.objects.get()

        def plan() -> Term:
            return services.create_term(
                by=None,
                academic_year=as_read,
                code="T",
                name="T",
                starts_on=date(2026, 9, 1),
                ends_on=date(2027, 8, 31),
            )

        outcome = while_uncommitted(
            lambda: services.update_academic_year(year, by=None, ends_on=date(2027, 7, 31)), plan
        )

        assert outcome == "outside_academic_year"
        assert not Term.objects.exists()

    def test_a_year_waits_for_a_term_that_is_being_planned(self):
        year = AcademicYearFactory()

        def shorten() -> AcademicYear:
            return services.update_academic_year(AcademicYear.objects.get(), by=None, ends_on=date(2027, 1, 30))

        outcome = while_uncommitted(lambda: TermFactory(academic_year=year), shorten)

        assert outcome == "terms_outside_year"

    def test_terms_of_many_years_hold_none_while_they_wait_for_one(self, registrar, client_for):
        first, second = sorted((AcademicYearFactory(), AcademicYearFactory()), key=lambda year: year.pk)
        items = [
            {"code": f"T{number}", "name": "T", "academic_year": str(year.pk),
             "starts_on": str(year.starts_on), "ends_on": str(year.ends_on)}
            for number, year in enumerate((second, first))
        ]  # fmt: skip

        answer = while_uncommitted(
            lambda: AcademicYear.objects.select_for_update(no_key=True).get(pk=first.pk),
            lambda: client_for(registrar).post(f"{TERMS}bulk-create/", {"items": items}, format="json").status_code,
            lambda: AcademicYear.objects.select_for_update(no_key=True, nowait=True).get(pk=second.pk),
        )

        assert answer == 200


def test_years_that_were_recorded_too_short_are_lengthened() -> None:
    migration = import_module("departments.migrations.0005_terms_within_years")
    other = AcademicYearFactory()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE departments_term DISABLE TRIGGER departments_term_check_year")
        year = TermFactory(
            academic_year=AcademicYearFactory(), starts_on=date(2026, 8, 1), ends_on=date(2027, 9, 30)
        ).academic_year
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE departments_term ENABLE TRIGGER departments_term_check_year")

        cursor.execute(migration.WIDEN)

    rows = {row.pk: (row.starts_on, row.ends_on, row.version) for row in AcademicYear.objects.all()}
    assert rows == {
        year.pk: (date(2026, 8, 1), date(2027, 9, 30), 2),
        other.pk: (other.starts_on, other.ends_on, 1),
    }
