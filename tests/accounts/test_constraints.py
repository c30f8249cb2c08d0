"""Every named constraint of accounts refuses what it names, whoever writes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import (
    AccountMail,
    ApiKey,
    ApiKeyUse,
    FederatedIdentity,
    FederatedLogIn,
    GuessCount,
    KeyState,
    MailKind,
    PendingLogIn,
    Person,
    RecoveryCode,
    RoleAssignment,
    SecondFactor,
    Session,
    SigningKey,
    User,
)
from accounts.roles import Role, ScopeKind
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.accounts.keys import bare_key, program

pytestmark = pytest.mark.django_db


def session(**values):
    now = timezone.now()
    usual = {
        "user": UserFactory(),
        "current_refresh_hash": b"x" * 32,
        "rotated_at": now,
        "expires_at": now,
        "absolute_expires_at": now,
    }
    return Session.objects.create(**{**usual, **values})


def signing_key(**values):
    usual = {"kid": "a", "state": KeyState.ACTIVE, "private_key": b"sealed", "published_at": timezone.now()}
    return SigningKey.objects.create(**{**usual, **values})


def merged_into_itself():
    Person.objects.filter(pk=PersonFactory().pk).update(merged_into=F("pk"))


def granted_by_oneself():
    RoleAssignment.objects.filter(pk=RoleAssignmentFactory().pk).update(granted_by=F("user"))


def guess_count():
    return GuessCount.objects.create(
        subject=b"x" * 32, guesses=1, counted_at=timezone.now(), locked_until=timezone.now()
    )


def link(**values):
    usual = {
        "user": UserFactory(),
        "kind": MailKind.PASSWORD_RESET,
        "requested_at": timezone.now(),
        "token_hash": b"x" * 32,
        "expires_at": timezone.now(),
    }
    return AccountMail.objects.create(**{**usual, **values})


def second_factor(**values):
    return SecondFactor.objects.create(**{"user": UserFactory(), "kind": "totp", "secret": "A", **values})


def two_apps():
    user, now = UserFactory(), timezone.now()
    return [second_factor(user=user, confirmed_at=now) for _ in range(2)]


def two_codes():
    user = UserFactory()
    return [RecoveryCode.objects.create(user=user, code_hash=b"x" * 32) for _ in range(2)]


def pending_log_in(**values):
    usual = {
        "user": UserFactory(),
        "token_hash": b"x" * 32,
        "token_version": 1,
        "amr": [],
        "expires_at": timezone.now(),
    }
    return PendingLogIn.objects.create(**{**usual, **values})


def rotated_twice():
    key = bare_key(program(), "courses.view_course")
    for _ in range(2):
        bare_key(key.user, "courses.view_course", replaces=key)


def identity(**values):
    return FederatedIdentity.objects.create(**{"user": UserFactory(), "issuer": "i", "subject": "s", **values})


def two_identities_of_one():
    user = UserFactory()
    return [identity(user=user, subject=subject) for subject in ("s", "t")]


def log_in_elsewhere():
    return FederatedLogIn.objects.create(
        provider="p", state_hash=b"x" * 32, binding_hash=b"x" * 32, redirect_uri="u", expires_at=timezone.now()
    )


VIOLATIONS = {
    "accounts_federatedidentity_one_account": lambda: (identity(), identity()),
    "accounts_federatedidentity_one_of_issuer": two_identities_of_one,
    "accounts_federatedlogin_unique_state": lambda: (log_in_elsewhere(), log_in_elsewhere()),
    "accounts_secondfactor_one_app": two_apps,
    "accounts_secondfactor_kind_known": lambda: second_factor(kind="x"),
    "accounts_recoverycode_unique": two_codes,
    "accounts_pendinglogin_unique_token": lambda: (pending_log_in(), pending_log_in()),
    "accounts_apikey_unique_prefix": lambda: [bare_key(program(), "a", prefix="aaaaaaaa") for _ in range(2)],
    "accounts_apikey_one_successor": rotated_twice,
    "accounts_apikey_opens_something": lambda: bare_key(program()),
    "accounts_apikey_ends_after_it_begins": lambda: bare_key(program(), "a", expires_at=timezone.now()),
    "accounts_user_service_is_nobody": lambda: UserFactory(is_service=True, person=PersonFactory()),
    "accounts_person_not_merged_into_itself": merged_into_itself,
    "accounts_person_gender_known": lambda: PersonFactory(gender="x"),
    "accounts_user_one_identity": lambda: UserFactory(email=UserFactory().email.upper()),
    "accounts_roleassignment_no_overlap": lambda: RoleAssignmentFactory(user=RoleAssignmentFactory().user),
    "accounts_roleassignment_not_by_oneself": granted_by_oneself,
    "accounts_roleassignment_scope_named": lambda: RoleAssignmentFactory(scope_kind=ScopeKind.PROGRAM),
    "accounts_roleassignment_scope_fits_role": lambda: RoleAssignmentFactory(role=Role.STUDENT),
    "accounts_roleassignment_role_known": lambda: RoleAssignmentFactory(role="king"),
    "accounts_session_unique_refresh": lambda: (session(), session()),
    "accounts_session_ends_in_time": lambda: session(expires_at=timezone.now() + timedelta(days=1)),
    "accounts_guesscount_unique_subject": lambda: (guess_count(), guess_count()),
    "accounts_accountmail_unique_token": lambda: (link(), link()),
    "accounts_accountmail_one_link": lambda: link(user=link().user, token_hash=b"y" * 32),
    "accounts_accountmail_link_ends": lambda: link(expires_at=None),
    "accounts_accountmail_kind_known": lambda: link(kind="x"),
    "accounts_signingkey_unique_kid": lambda: (signing_key(), signing_key(state=KeyState.NEXT)),
    "accounts_signingkey_one_signs": lambda: (signing_key(), signing_key(kid="b")),
    "accounts_signingkey_forgets_its_secret": lambda: signing_key(state=KeyState.RETIRING),
}


def test_every_constraint_of_the_app_is_tried():
    models = (
        *(Person, User, RoleAssignment, Session, SigningKey, GuessCount),
        *(SecondFactor, RecoveryCode, PendingLogIn, AccountMail, ApiKey, ApiKeyUse),
        *(FederatedIdentity, FederatedLogIn),
    )
    declared = {constraint.name for model in models for constraint in model._meta.constraints}

    assert declared == VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    assert refused.value.__cause__.diag.constraint_name == name
