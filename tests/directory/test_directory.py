"""The directory: whom it names, to whom, by what they are found, and that whoever opted out is nowhere in it."""

import pytest

from accounts.roles import Role
from directory.models import DirectoryEntry
from faculty.models import LISTED, Faculty, FacultyStatus
from students.models import PRESENT, Student, StudentStatus
from tests.faculty.factories import FacultyFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/directory/"


def opt_out_url(student):
    return f"/api/v1/students/{student.pk}/directory-opt-out/"


@pytest.fixture
def anybody(user_with, client_for):
    """A student who has to do with nobody else."""
    student = StudentFactory(person__last_name="Zuse")
    client = client_for(user_with(Role.STUDENT, "self", person=student.person))
    client.student = student
    return client


@pytest.fixture
def ada():
    program = ProgramEnrollmentFactory(
        is_primary=True,
        student__person__first_name="Augusta",
        student__person__preferred_name="Ada",
        student__person__last_name="Lovelace",
        student__person__email="ada@example.org",
        student__student_no="S-4711",
    )
    ProgramEnrollmentFactory(student=program.student)
    return program


def names(response):
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["data"]]


@pytest.mark.checklist(85)
def test_an_entry_tells_directory_information_and_nothing_else(anybody, ada):
    (row,) = anybody.get(LIST, {"search": "ada lovelace"}).json()["data"]

    department = ada.student.department
    assert row == {
        "id": str(ada.student_id),
        "kind": "student",
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "department": {"id": str(department.pk), "code": department.code, "name": department.name},
        "program": {"id": str(ada.program_id), "code": ada.program.code, "name": ada.program.name},
    }
    assert anybody.get(f"/api/v1/students/{ada.student_id}/").status_code == 404


@pytest.mark.checklist(85)
def test_nobody_is_found_by_their_number_nor_by_a_name_they_are_not_called_by(anybody, ada):
    for text in ("S-4711", "4711", "augusta"):
        assert names(anybody.get(LIST, {"search": text})) == []
    for query in ({"student_no": "S-4711"}, {"ordering": "student_no"}, {"birth_date": "2004-05-06"}):
        assert anybody.get(LIST, query).status_code == 400


@pytest.mark.checklist(5, 85)
def test_it_is_ordered_by_the_names_that_it_shows(anybody, ada):
    department = ada.student.department
    for first, preferred in (("Zoe", "Annabella"), ("Bertha", "")):
        StudentFactory(
            person__first_name=first,
            person__preferred_name=preferred,
            person__last_name="Lovelace",
            department=department,
        )

    in_department = {"department": str(department.pk)}

    shown = ["Ada Lovelace", "Annabella Lovelace", "Bertha Lovelace"]
    assert names(anybody.get(LIST, in_department)) == shown
    assert names(anybody.get(LIST, {**in_department, "ordering": "-first_name"})) == shown[::-1]


@pytest.mark.checklist(85)
def test_a_student_number_logs_nobody_in(client, user_with):
    student = StudentFactory(student_no="S-4711")
    user_with(Role.STUDENT, person=student.person, email="ada@example.org", password="a long enough passphrase")

    for name in ("email", "username"):
        for password in ("S-4711", "a long enough passphrase"):
            body = {name: "S-4711", "password": password}
            assert client.post("/api/v1/auth/token/", body, "application/json").status_code in (400, 401)


def test_faculty_are_found_beside_students(anybody, ada):
    emmy = FacultyFactory(person__first_name="Emmy", person__last_name="Noether", department=ada.student.department)

    found = anybody.get(LIST, {"department": str(emmy.department_id)}).json()["data"]

    assert [(row["kind"], row["name"], row["program"] is None) for row in found] == [
        ("student", "Ada Lovelace", False),
        ("faculty", "Emmy Noether", True),
    ]
    assert names(anybody.get(LIST, {"kind": "faculty"})) == ["Emmy Noether"]
    assert names(anybody.get(LIST, {"program": str(ada.program_id)})) == ["Ada Lovelace"]
    assert names(anybody.get(LIST, {"email": "ADA@example.org"})) == ["Ada Lovelace"]


def test_it_has_those_who_are_here_whatever_becomes_of_them_that_is_nobodys_business():
    for status in StudentStatus:
        StudentFactory(status=status)
        StudentFactory(status=status, directory_opt_out=True)
    for status in FacultyStatus:
        FacultyFactory(status=status)

    listed = set(DirectoryEntry.objects.values_list("pk", flat=True))

    assert listed == {
        *(row.pk for row in Student.objects.all() if row.status in PRESENT and not row.directory_opt_out),
        *(row.pk for row in Faculty.objects.all() if row.status in LISTED),
    }


@pytest.mark.checklist(84)
def test_whoever_opts_out_is_neither_shown_nor_found_nor_counted(anybody, ada, user_with, client_for):
    own = client_for(user_with(Role.STUDENT, "self", person=ada.student.person))
    units = ({"department": str(ada.student.department_id)}, {"program": str(ada.program_id)})
    questions = ({}, {"search": "lovelace"}, {"email": "ada@example.org"}, {"ordering": "-last_name"}, *units)
    assert all("Ada Lovelace" in names(anybody.get(LIST, question)) for question in questions)
    total = anybody.get(LIST, {"page": 1}).json()["meta"]["pagination"]["total"]

    answer = own.post(opt_out_url(ada.student), {"opted_out": True})

    assert (answer.status_code, answer.json()["data"]["directory_opt_out"]) == (200, True)
    assert not any("Ada Lovelace" in names(anybody.get(LIST, question)) for question in questions)
    assert anybody.get(LIST, {"page": 1}).json()["meta"]["pagination"]["total"] == total - 1
    assert own.post(opt_out_url(ada.student), {"opted_out": False}).status_code == 200
    assert "Ada Lovelace" in names(anybody.get(LIST))


@pytest.mark.checklist(84)
def test_the_student_and_the_registrar_decide_and_nobody_else(anybody, ada, registrar_client, user_with, client_for):
    head = client_for(user_with(Role.DEPARTMENT_HEAD, "department", ada.student.department_id))
    staff = user_with(Role.REGISTRAR, "department", anybody.student.department_id)

    assert anybody.post(opt_out_url(ada.student), {"opted_out": True}).status_code == 404
    assert head.post(opt_out_url(ada.student), {"opted_out": True}).status_code == 403
    assert client_for(staff).post(opt_out_url(ada.student), {"opted_out": True}).status_code == 404
    assert not Student.objects.filter(directory_opt_out=True).exists()
    assert registrar_client.post(opt_out_url(ada.student), {"opted_out": True}).status_code == 200


@pytest.mark.checklist(89)
def test_whoever_does_not_belong_to_the_university_searches_for_nobody(ada, user_with, client_for):
    for role in (Role.GUARDIAN, Role.INTEGRATION):
        assert client_for(user_with(role)).get(LIST).status_code == 403


def test_it_costs_three_queries_at_most(anybody, django_assert_max_num_queries):
    for _ in range(12):
        ProgramEnrollmentFactory(is_primary=True)
        FacultyFactory()

    for url in (LIST, f"{LIST}?search=first&page_size=20"):
        with django_assert_max_num_queries(3):
            anybody.get(url)
