"""Those who come to the enrolment resources with a part of their own."""

import pytest

from accounts.roles import Role
from tests.courses.factories import SectionInstructorFactory
from tests.students.factories import StudentFactory


@pytest.fixture
def ada(user_with, client_for):
    """A student who may act for herself, and her client."""
    student = StudentFactory(person__first_name="Ada", person__last_name="Lovelace")
    client = client_for(user_with(Role.STUDENT, "self", person=student.person))
    client.student = student
    return client


@pytest.fixture
def teacher(user_with, client_for):
    """Somebody who teaches one section, and their client."""
    row = SectionInstructorFactory()
    client = client_for(user_with(Role.FACULTY, "self", person=row.faculty.person))
    client.section = row.section
    return client
