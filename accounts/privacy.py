"""What accounts say about people."""

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Q

from accounts.means import NO_STAFF
from accounts.models import (
    AccountMail,
    ApiKey,
    FederatedIdentity,
    GuessCount,
    PendingLogIn,
    Person,
    PersonIdentifier,
    RecoveryCode,
    RoleAssignment,
    SecondFactor,
    Session,
    User,
)
from accounts.services import guesses, mails, sessions
from core.errors import ConflictError
from core.privacy import Subject, impersonal, name_people, personal, stands_in_the_way
from core.privacy.retention import keep_for

HASH = "A hash of a secret."

name_people(Person)

personal(
    Person,
    says="Who you are: names, addresses and what else is recorded about you in person.",
    kept="For as long as there are records of you; erasure leaves a pseudonym in its place.",
    paths=("pk",),
    clears="first_name preferred_name email phone birth_date gender nationality",
    becomes={"last_name": "Erased {code}"},
    mentions={"merged_into": "The same person, recorded twice."},
)
personal(
    PersonIdentifier,
    says="Numbers that authorities gave to you.",
    kept="Until somebody who answers for the record removes it, or erasure does.",
    paths=("person",),
    keeps="scheme country value",
    withholds={"value_index": HASH},
    masked={"value": "masked_value"},
    deletes=True,
)
personal(
    User,
    says="The account that you log in with.",
    kept="For as long as what it did is on record; erasure closes it and leaves a pseudonym.",
    paths=("person",),
    keeps="must_change_password is_service",
    clears="last_login",
    becomes={
        "email": "erased-{id}@erased.invalid",
        "is_active": False,
        "is_staff": False,
        "password": "!",  # pragma: allowlist secret
    },
    withholds={"password": HASH, "token_version": "A count by which tokens become outdated."},
)
personal(
    RoleAssignment,
    says="The roles that you hold or held.",
    kept="For good: who was entitled to what explains what is on record.",
    paths=("user__person",),
    keeps="role scope_kind scope_id valid",
    mentions={"granted_by": "Who gave you the role, in the course of their work."},
)
personal(
    Session,
    says="Where you are logged in, and were lately.",
    kept="Some months after its end; the university sets how many.",
    paths=("user__person",),
    keeps="user_agent ip amr rotated_at expires_at absolute_expires_at revoked_at",
    withholds={"current_refresh_hash previous_refresh_hash": HASH},
    deletes=True,
)
personal(
    FederatedIdentity,
    says="Log-ins of other institutions that open your account.",
    kept="Until you unlink them, or erasure does.",
    paths=("user__person",),
    keeps="issuer subject email last_used_at",
    deletes=True,
)
personal(
    AccountMail,
    says="What was mailed to you about your account.",
    kept="Some days after it was sent.",
    paths=("user__person",),
    keeps="kind address email session_id requested_at used_at",
    withholds={
        "token_hash": HASH,
        "token_version": "A count by which tokens become outdated.",
        "sent_at expires_at": "Whether a mail went to an address tells whether somebody else has it.",
    },
    hides=lambda mail, subject: ("updated_at",),
    deletes=True,
)
personal(
    SecondFactor,
    says="What you prove yourself with besides your password.",
    kept="Until you remove it, or erasure does; a day where it was not confirmed.",
    paths=("user__person",),
    keeps="kind name confirmed_at last_used_at",
    withholds={
        "secret": "Whoever has it can log in as you.",  # pragma: allowlist secret
        "counter": "A count by which codes are used once.",
    },
    deletes=True,
)
personal(
    RecoveryCode,
    says="That you have codes for when a second factor is lost, and which were used.",
    kept="Until you draw others, or erasure removes them.",
    paths=("user__person",),
    keeps="used_at",
    withholds={"code_hash": HASH},
    deletes=True,
)
personal(
    PendingLogIn,
    says="Where you began to log in lately.",
    kept="Some months after its end; the university sets how many.",
    paths=("user__person",),
    keeps="amr user_agent ip attempts expires_at completed_at",
    withholds={
        "token_hash device challenge": "A secret, or what answers to one.",
        "token_version": "A count by which tokens become outdated.",
    },
    deletes=True,
)
impersonal(
    ApiKey,
    user="The account of a program, which is nobody's.",
    created_by="Who made the key, in the course of their work.",
)
# Django's own log of its pages, which names rows by their ids.
personal(
    LogEntry,
    says="What was done on the administration pages with the records about you.",
    kept="For as long as the records; erasure empties what names you.",
    finds=lambda subject: Q(object_id__in=subject.ids),
    keeps="action_time content_type object_id action_flag",
    clears="object_repr change_message",
    mentions={"user": "Who did it, in the course of their work."},
)

keep_for(
    "accounts.Session and accounts.PendingLogIn, ended",
    kept=lambda: settings.ENDED_SESSIONS_KEPT,
    basis="An enquiry finds who was logged in when, and a stolen token meets a session that is known to have ended.",
    due=lambda at: sessions.sessions_due(at).count() + sessions.pending_log_ins_due(at).count(),
    chore="purge_sessions",
)
keep_for(
    "accounts.FederatedLogIn",
    kept=lambda: sessions.BEGUN_KEPT,
    basis="It is under way for minutes; what it led to is a session, and on record.",
    due=lambda at: sessions.federated_log_ins_due(at).count(),
    chore="purge_sessions",
)
keep_for(
    "accounts.SecondFactor, not confirmed",
    kept=lambda: sessions.BEGUN_KEPT,
    basis="It is begun anew after minutes; until it is confirmed it is a secret that opens nothing.",
    due=lambda at: sessions.begun_factors_due(at).count(),
    chore="purge_sessions",
)
keep_for(
    "accounts.AccountMail",
    kept=lambda: mails.KEPT,
    basis="Its owner may ask what was mailed; a link is good for an hour.",
    due=lambda at: mails.mails_due(at).count(),
    chore="purge_account_mails",
)
keep_for(
    "accounts.GuessCount",
    kept=lambda: guesses.FORGOTTEN_AFTER,
    basis="Who guesses slowly is recognised; the address is there as a keyed hash.",
    due=lambda at: GuessCount.objects.filter(counted_at__lt=at - guesses.FORGOTTEN_AFTER).count(),
    chore="purge_guess_counts",
)


class RoleHeldError(ConflictError):
    """Somebody acts here for the university, and what they do has to be theirs."""

    code = "role_held"
    title = "The person holds a role for the university; it has to end first."


def acts_here(subject: Subject) -> ConflictError | None:
    """Refuse to erase somebody who holds a role as a member of staff, or will."""
    held = RoleAssignment.objects.lasting().filter(user__person__in=subject.people).exclude(role__in=NO_STAFF)
    return RoleHeldError() if held.exists() else None


stands_in_the_way(acts_here)
