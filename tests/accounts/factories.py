"""The least valid people, accounts and assignments."""

from datetime import timedelta

import factory
from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import Person, RoleAssignment, User
from accounts.roles import Role

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
