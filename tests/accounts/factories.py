"""The least valid people, accounts and assignments."""

from datetime import timedelta

import factory
from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import Person, RoleAssignment, User
from accounts.roles import UNSCOPED, Role, usual_scope
from core.ids import new_id

PASSWORD = "correct horse battery staple"  # pragma: allowlist secret
HASHED = make_password(PASSWORD)


class PersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Person

    first_name = factory.Sequence(lambda n: f"First{n}")
    last_name = factory.Sequence(lambda n: f"Last{n}")
    email = factory.Sequence(lambda n: f"person{n}@example.org")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.org")
    password = factory.LazyAttribute(lambda user: "!" if getattr(user, "is_service", False) else HASHED)


class RoleAssignmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RoleAssignment

    user = factory.SubFactory(UserFactory)
    role = Role.REGISTRAR
    scope_kind = "institution"
    valid = factory.LazyFunction(lambda: DateTimeTZRange(timezone.now() - timedelta(days=1), None, "[)"))


def held_in(role, kind=None, unit=None):
    """Return the scope of an assignment: the usual one unless a kind is named, of any unit where it takes one."""
    kind = kind or usual_scope(role)
    return {"scope_kind": kind, "scope_id": unit or (None if kind in UNSCOPED else new_id())}
