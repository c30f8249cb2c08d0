"""Sight of accounts: oneself, and for those who administer accounts, everybody."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from accounts.models import (
    ApiKey,
    FederatedIdentity,
    Person,
    PersonIdentifier,
    RoleAssignment,
    SecondFactor,
    Session,
    User,
)
from audit.models import Change, Disclosure, Event
from core.models import CustomField
from core.visibility import grants


@grants(User)
def everybody_sees_their_own_account(actor: Any) -> Q | None:
    return Q(pk=actor.pk)


@grants(RoleAssignment)
def everybody_sees_the_roles_they_hold(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(Session, "manage")
def everybody_sees_and_ends_their_own_sessions(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(Session)
def session_readers_see_every_session(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_session").everywhere else None


@grants(Session, "manage")
def account_administrators_end_every_session(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.delete_session").everywhere else None


@grants(FederatedIdentity)
def everybody_sees_their_own_identities(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(SecondFactor)
def everybody_sees_their_own_second_factors(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(Person)
def everybody_sees_their_own_personal_data(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(User)
def account_readers_see_every_account(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_user").everywhere else None


@grants(User, "manage")
def account_administrators_manage_every_account(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.change_user").everywhere else None


@grants(RoleAssignment)
def account_readers_see_every_assignment(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_roleassignment").everywhere else None


@grants(RoleAssignment, "manage")
def account_administrators_manage_every_assignment(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.change_roleassignment").everywhere else None


@grants(Person)
def person_readers_see_everybody(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_person").everywhere else None


@grants(Person, "manage")
def person_administrators_manage_everybody(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.change_person").everywhere else None


@grants(CustomField, "manage")
def those_who_define_custom_fields_everywhere_manage_them(actor: Any) -> Q | None:
    """A definition concerns the whole institution."""
    return Q() if scopes_of(actor, "core.change_customfield").everywhere else None


@grants(PersonIdentifier)
def identifier_readers_see_everybodys(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_personidentifier").everywhere else None


@grants(PersonIdentifier, "manage")
def identifier_administrators_manage_everybodys(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.change_personidentifier").everywhere else None


@grants(ApiKey)
def key_readers_see_every_key(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.view_apikey").everywhere else None


@grants(ApiKey, "manage")
def account_administrators_manage_every_key(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "accounts.change_apikey").everywhere else None


@grants(Event)
def auditors_see_every_event(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "audit.view_event").everywhere else None


@grants(Change)
def auditors_see_every_change(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "audit.view_change").everywhere else None


@grants(Disclosure)
def those_who_answer_for_records_see_every_disclosure(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "audit.view_disclosure").everywhere else None


@grants(Disclosure)
def people_see_to_whom_their_records_were_disclosed(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(subject_id=person) if person else None
