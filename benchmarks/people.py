"""People of the stack's demo university who are logged in: run as a process of the product, prints their tokens.

There is one for each role, and so many students besides, whose accounts are opened where they have none.
"""

import json
import sys

from django.utils import timezone


def main(students: int) -> None:
    """Print the tokens by who holds them."""
    import django

    django.setup()
    from accounts import services
    from accounts.models import Person, User
    from accounts.roles import Role, ScopeKind
    from campushub360.demo.university import MAIL
    from students.models import Student

    def opened(person: Person) -> User:
        email = f"reader-{person.pk}@{MAIL}"
        if found := User.objects.filter(email=email).first():
            return found
        user = services.create_demo_user(email=email, password=str(person.pk), person=person, is_staff=False)
        services.assign_role(by=None, user=user, role=Role.STUDENT, scope_kind=ScopeKind.SELF, scope_id=None)
        return user

    def logged_in(user: User) -> str:
        return services.open_session(user, amr=["pwd"], at=timezone.now()).access

    staff = {
        str(role): logged_in(user)
        for role in (Role.REGISTRAR, Role.FACULTY, Role.ADVISOR, Role.DEPARTMENT_HEAD)
        if (user := User.objects.filter(email=f"{role}@{MAIL}").first())
    }
    persons = [student.person for student in Student.objects.select_related("person").order_by("id")[: students + 1]]
    free = [person for person in persons if not User.objects.filter(person=person).exclude(email__startswith="reader-")]
    json.dump({**staff, "students": [logged_in(opened(person)) for person in free[:students]]}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
