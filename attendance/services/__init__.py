"""Everything that changes which classes take place, when and where, and who was there."""

from attendance.services.bulk_marking import SessionOutcome, mark_sessions
from attendance.services.calendar_feeds import end_feed, feed_of_secret, make_feed, revoke_feed
from attendance.services.changing import (
    SessionCancelledError,
    SessionMarkedError,
    cancel_session,
    lock_gathered,
    lock_gatherings,
    reschedule_session,
)
from attendance.services.check_in_windows import Place, Poster, close_check_in, open_check_in, poster
from attendance.services.check_ins import Attempt, arrivals_due, check_in, purge_arrivals, review_check_in
from attendance.services.codes import create_code, delete_code, update_code
from attendance.services.covering import apply_excuses
from attendance.services.decision_runs import carry_on, decide_next, fail_run, request_decisions
from attendance.services.eligibility import (
    Decided,
    condone_shortage,
    decide_eligibility,
    hold_enrollments,
    withdraw_condonation,
)
from attendance.services.excusing import (
    approve_excuse,
    reject_excuse,
    request_excuse,
    revoke_excuse,
    update_excuse,
)
from attendance.services.generation import Generated, generate_days, generate_sessions
from attendance.services.locking import lock_session, lock_sessions, unlock_session
from attendance.services.marking import (
    DuplicateLineError,
    Mark,
    Marked,
    close_session,
    mark_roster,
    open_session,
)
from attendance.services.naming import sessions_that_may_name
from attendance.services.offline import (
    LineOutcome,
    QueuedMark,
    SessionUnknownError,
    forget_offline_marks,
    offline_marks_due,
    sync_marks,
)
from attendance.services.own_classes import SelfMarkingError
from attendance.services.policies import create_policy, delete_policy, update_policy
from attendance.services.punches import Seen, Taken, take_punches, weigh_punches
from attendance.services.readers import (
    create_credential,
    create_reader,
    delete_credential,
    delete_reader,
    update_reader,
)
from attendance.services.reinstating import reinstate_session
from attendance.services.substituting import (
    accept_substitution,
    decline_substitution,
    expire_substitutions,
    propose_substitution,
    revoke_substitution,
    withdraw_substitution,
)
from attendance.services.summaries import verify_summaries
from attendance.services.telling import tell_of_crossing

__all__ = [
    "Attempt",
    "Decided",
    "DuplicateLineError",
    "Generated",
    "LineOutcome",
    "Mark",
    "Marked",
    "Place",
    "Poster",
    "QueuedMark",
    "Seen",
    "SelfMarkingError",
    "SessionCancelledError",
    "SessionMarkedError",
    "SessionOutcome",
    "SessionUnknownError",
    "Taken",
    "accept_substitution",
    "apply_excuses",
    "approve_excuse",
    "arrivals_due",
    "cancel_session",
    "carry_on",
    "check_in",
    "close_check_in",
    "close_session",
    "condone_shortage",
    "create_code",
    "create_credential",
    "create_policy",
    "create_reader",
    "decide_eligibility",
    "decide_next",
    "decline_substitution",
    "delete_code",
    "delete_credential",
    "delete_policy",
    "delete_reader",
    "end_feed",
    "expire_substitutions",
    "fail_run",
    "feed_of_secret",
    "forget_offline_marks",
    "generate_days",
    "generate_sessions",
    "hold_enrollments",
    "lock_gathered",
    "lock_gatherings",
    "lock_session",
    "lock_sessions",
    "make_feed",
    "mark_roster",
    "mark_sessions",
    "offline_marks_due",
    "open_check_in",
    "open_session",
    "poster",
    "propose_substitution",
    "purge_arrivals",
    "reinstate_session",
    "reject_excuse",
    "request_decisions",
    "request_excuse",
    "reschedule_session",
    "review_check_in",
    "revoke_excuse",
    "revoke_feed",
    "revoke_substitution",
    "sessions_that_may_name",
    "sync_marks",
    "take_punches",
    "tell_of_crossing",
    "unlock_session",
    "update_code",
    "update_excuse",
    "update_policy",
    "update_reader",
    "verify_summaries",
    "weigh_punches",
    "withdraw_condonation",
    "withdraw_substitution",
]
