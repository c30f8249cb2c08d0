"""An account, and the roles it holds: the e-mail address somebody logs in with and what that opens."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, JSONObject, Now
from django.utils.functional import cached_property

from accounts.assignments import Assignment
from accounts.identity import Identity
from accounts.models.person import Person, SamePerson
from accounts.roles import SCOPES, UNSCOPED, Role, ScopeKind
from core.cache.generations import Reading
from core.models import BaseQuerySet, VersionedModel

NOWHERE = UUID(int=0)


def held_by(user: OuterRef) -> ArraySubquery:
    """Return the roles that a user holds at this moment, as part of a query about something else."""
    held = RoleAssignment.objects.current().filter(user=user)
    return ArraySubquery(held.values(json=JSONObject(role="role", scope_kind="scope_kind", scope_id="scope_id")))


class UserQuerySet(BaseQuerySet["User"]):
    def with_assignments(self) -> Self:
        """Load the roles each user holds at this moment, without another query."""
        return self.annotate(held=held_by(OuterRef("pk")))

    def for_api(self) -> Self:
        return self.select_related("person").with_assignments()

    def addressed(self, email: str | None) -> Self:
        """The account that an address logs in to, compared as the constraint and its index compare."""
        return self.alias(identity=Identity("email")).filter(identity=Identity(Value(email or "")))

    def get_by_natural_key(self, email: str | None) -> "User":
        """Find the account an address logs in to; Django's authentication asks this."""
        return self.addressed(email).get()


class User(AbstractBaseUser, VersionedModel):
    """One account. What it may do follows from the roles it holds now, nothing else."""

    email = models.EmailField(max_length=254)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="user")
    is_active = models.BooleanField(default=True, help_text="An inactive account cannot log in.")
    is_staff = models.BooleanField(default=False, help_text="May open the administration pages.")
    must_change_password = models.BooleanField(default=False)
    is_service = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The account of a program, which calls with API keys. It stays what it was opened as.",
    )
    token_version = models.PositiveIntegerField(default=1, editable=False)

    # The roles held now, where a queryset has loaded them.
    held: Any = None
    # What the API key that is used narrows every role to; None for somebody who has logged in.
    limited_to: frozenset[str] | None = None
    # Until when (`time.monotonic`) time alone ends neither the log-in nor a role; for those whose log-in was looked up.
    good_until: float = 0.0
    # The tags of everything this was read from, and where they stood: as long as they do, it is so. None if not known.
    vouched_by: tuple[tuple[str, ...], Reading] | None = None

    objects = UserQuerySet.as_manager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Identity("email"),
                name="accounts_user_one_identity",
                violation_error_code="email_taken",
                violation_error_message="Another account uses this e-mail address.",
            ),
            models.CheckConstraint(
                condition=Q(is_service=False)
                | Q(person__isnull=True, is_staff=False, must_change_password=False, password__startswith=UNUSABLE),
                name="accounts_user_service_is_nobody",
                violation_error_code="service_account",
                violation_error_message="The account of a program has neither person, password nor administration.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_session_auth_hash(self) -> str:
        """What a log-in at the administration pages is bound to: it ends where the account's tokens are outdated."""
        return f"{super().get_session_auth_hash()}:{self.token_version}"

    @cached_property
    def assignments(self) -> tuple[Assignment, ...]:
        """The roles held now: as the queryset loaded them, otherwise read once."""
        held = self.held if self.held is not None else User.objects.with_assignments().get(pk=self.pk).held
        return tuple(Assignment.from_json(row, within=self.limited_to) for row in held)

    @cached_property
    def records(self) -> frozenset[UUID]:
        """Every record of the person that the account is of, who may be recorded more than once; a program has none.

        As it was read when they were identified, otherwise read once.
        """
        if self.person_id is None:
            return frozenset()
        same = Person.objects.filter(pk=self.person_id).annotate(same=SamePerson("pk"))
        return frozenset(same.values_list("same", flat=True))

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Everything any of the held roles permits, in whatever scope."""
        return frozenset().union(*(held.permissions for held in self.assignments))

    def roles_permitting(self, permission: str) -> set[str]:
        """Return which of the roles held now permit this kind of action."""
        return {held.role for held in self.assignments if permission in held.permissions}

    def has_role(self, role: Role) -> bool:
        return any(held.role == role for held in self.assignments)

    @property
    def is_superuser(self) -> bool:
        return self.has_role(Role.SYSTEM_ADMIN)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Say whether some role permits this kind of action; on which rows is a matter of visibility."""
        return self.is_active and perm in self.permissions

    def has_perms(self, perm_list: Sequence[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(perm.startswith(f"{app_label}.") for perm in self.permissions)


class RoleAssignmentQuerySet(BaseQuerySet["RoleAssignment"]):
    def current(self) -> Self:
        """Those in force at this moment, by the database's clock."""
        return self.filter(valid__contains=Now())

    def lasting(self) -> Self:
        """Those that have not ended: in force, or to come."""
        return self.filter(Q(valid__upper_inf=True) | Q(valid__endswith__gt=Now()))

    def for_api(self) -> Self:
        return self.select_related("user", "granted_by")


def _held_where_it_may_be() -> Q:
    """Match the roles within scopes of the kinds that they are held in."""
    held = {kind: sorted(role for role, kinds in SCOPES.items() if kind in kinds) for kind in ScopeKind}
    return reduce(or_, (Q(scope_kind=kind.value, role__in=roles) for kind, roles in held.items()))


class RoleAssignment(VersionedModel):
    """One role held by one user within one scope for a span of time."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=24, choices=Role)
    scope_kind = models.CharField(max_length=12, choices=ScopeKind, default=ScopeKind.INSTITUTION)
    scope_id = models.UUIDField(
        null=True, blank=True, help_text="The department, program or section; empty for institution and self."
    )
    valid = DateTimeRangeField(help_text="From (inclusive) until (exclusive); an open end lasts.")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = RoleAssignmentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["scope_id"], condition=Q(scope_id__isnull=False), name="accounts_roleassignment_scope"
            ),
        ]
        constraints = [
            ExclusionConstraint(
                name="accounts_roleassignment_no_overlap",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("scope_kind", RangeOperators.EQUAL),
                    (Coalesce("scope_id", Value(NOWHERE)), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                violation_error_code="overlapping_appointment",
                violation_error_message="The user already holds this role in this scope during that time.",
            ),
            models.CheckConstraint(
                condition=~Q(granted_by=F("user")),
                name="accounts_roleassignment_not_by_oneself",
                violation_error_code="self_approval",
                violation_error_message="Nobody grants a role to themselves.",
            ),
            models.CheckConstraint(
                condition=Q(scope_kind__in=UNSCOPED, scope_id__isnull=True)
                | (~Q(scope_kind__in=UNSCOPED) & Q(scope_id__isnull=False)),
                name="accounts_roleassignment_scope_named",
                violation_error_code="scope_mismatch",
                violation_error_message="A department, program or section scope names its unit; the others name none.",
            ),
            models.CheckConstraint(
                condition=_held_where_it_may_be(),
                name="accounts_roleassignment_scope_fits_role",
                violation_error_code="scope_not_for_role",
                violation_error_message="This role is not held within a scope of this kind.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values) & Q(scope_kind__in=ScopeKind.values),
                name="accounts_roleassignment_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role or the kind of scope is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role} ({self.scope_kind})"
