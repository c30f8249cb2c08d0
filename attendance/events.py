"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionClosed(Event):
    """The students of a session have been marked; what was corrected since it was closed before is as it is now."""

    name: ClassVar[str] = "attendance.session.closed"

    session_id: UUID
    section_id: UUID
    local_date: str
    marked: int
    unmarked: int
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionStep(Event):
    """What became of a class or of its sheet. It says neither why nor by whom."""

    session_id: UUID
    section_id: UUID
    local_date: str
    happened_at: datetime

    @classmethod
    def of(cls, session: Any, at: datetime) -> Self:
        """Say what became of a session."""
        return cls(
            session_id=session.pk, section_id=session.section_id, local_date=session.local_date.isoformat(),
            happened_at=at,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(SessionStep):
    """A section has no class that day."""

    name: ClassVar[str] = "attendance.session.cancelled"


@dataclass(frozen=True, kw_only=True)
class SessionReinstated(SessionStep):
    """A class that was cancelled takes place after all; what was marked in it counts again."""

    name: ClassVar[str] = "attendance.session.reinstated"


@dataclass(frozen=True, kw_only=True)
class SessionRescheduled(SessionStep):
    """A class takes place at another time, or in another room; of those that gather, each is announced."""

    name: ClassVar[str] = "attendance.session.rescheduled"

    from_starts_at: datetime
    starts_at: datetime
    ends_at: datetime
    room_id: UUID | None

    @classmethod
    def moved(cls, session: Any, before: datetime, at: datetime) -> Self:
        """Say when a session was to begin, and when and where it takes place now."""
        return cls(
            **vars(SessionStep.of(session, at)), from_starts_at=before, starts_at=session.starts_at,
            ends_at=session.ends_at, room_id=session.room_id,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SessionLocked(SessionStep):
    """The marks of a class are final."""

    name: ClassVar[str] = "attendance.session.locked"


@dataclass(frozen=True, kw_only=True)
class SessionReopened(SessionStep):
    """What was said to be done may be corrected: a locked sheet is closed again, or a closed one open."""

    name: ClassVar[str] = "attendance.session.reopened"


@dataclass(frozen=True, kw_only=True)
class ExcuseDecided(Event):
    """Somebody decided about an excuse; each decision has an announcement of its own. It says of no kind."""

    excuse_id: UUID
    student_id: UUID
    sessions: int
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ExcuseApproved(ExcuseDecided):
    """A student is excused, and is marked so in as many sessions as have begun."""

    name: ClassVar[str] = "attendance.excuse.approved"


@dataclass(frozen=True, kw_only=True)
class ExcuseRejected(ExcuseDecided):
    """A student is not excused."""

    name: ClassVar[str] = "attendance.excuse.rejected"


@dataclass(frozen=True, kw_only=True)
class ExcuseRevoked(ExcuseDecided):
    """A student is excused no longer, and marked in as many sessions as they would be without the excuse."""

    name: ClassVar[str] = "attendance.excuse.revoked"


@dataclass(frozen=True, kw_only=True)
class ThresholdCrossed(Event):
    """Somebody fell short of what the policy asks for, or no longer does. The database announces it, once a crossing.

    Of students who are enrolled in terms that are not over, once as many classes count as the policy says; what is
    imported of the past alarms nobody.
    """

    name: ClassVar[str] = "attendance.threshold.crossed"

    enrollment_id: UUID
    student_id: UUID
    section_id: UUID
    is_short: bool
    percent: str | None
    threshold: str
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class TermDecisionRequested(Event):
    """Somebody wants to have it decided about a whole term who may sit examinations."""

    name: ClassVar[str] = "attendance.term.decision_requested"

    run_id: UUID


@dataclass(frozen=True, kw_only=True)
class TermDecided(Event):
    """It has been decided about everybody whom a request named, and so many decisions are new."""

    name: ClassVar[str] = "attendance.term.decided"

    run_id: UUID
    term_id: UUID
    made: int
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class EligibilityDenied(Event):
    """A decision does not admit a student to the examination: for now, if that may be condoned, or at all.

    Announced when the outcome comes to be so, and not with every decision that finds it so again.
    """

    name: ClassVar[str] = "attendance.eligibility.denied"

    decision_id: UUID
    enrollment_id: UUID
    student_id: UUID
    section_id: UUID
    outcome: str
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ShortageCondoned(Event):
    """A student falls short and is admitted all the same. It says nothing of why."""

    name: ClassVar[str] = "attendance.shortage.condoned"

    decision_id: UUID
    enrollment_id: UUID
    student_id: UUID
    section_id: UUID
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class SummaryMended(Event):
    """A summary was not what its marks come to: something wrote past the database's own triggers."""

    name: ClassVar[str] = "attendance.summary.mended"

    enrollment_id: UUID
    said: dict[str, Any]
    found: dict[str, Any]
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class SubstitutionStep(Event):
    """What became of asking somebody to teach a class in the place of its teacher. It says of no reason."""

    substitution_id: UUID
    session_id: UUID
    section_id: UUID
    instructor_id: UUID
    substitute_id: UUID
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class SubstitutionProposed(SubstitutionStep):
    """Somebody is asked to substitute."""

    name: ClassVar[str] = "attendance.substitution.proposed"


@dataclass(frozen=True, kw_only=True)
class SubstitutionAccepted(SubstitutionStep):
    """The substitute teaches the class."""

    name: ClassVar[str] = "attendance.substitution.accepted"


@dataclass(frozen=True, kw_only=True)
class SubstitutionDeclined(SubstitutionStep):
    """Whoever was asked does not teach the class."""

    name: ClassVar[str] = "attendance.substitution.declined"


@dataclass(frozen=True, kw_only=True)
class SubstitutionWithdrawn(SubstitutionStep):
    """Nobody asks any longer."""

    name: ClassVar[str] = "attendance.substitution.withdrawn"


@dataclass(frozen=True, kw_only=True)
class SubstitutionExpired(SubstitutionStep):
    """The class began, or was cancelled, before whoever was asked had answered."""

    name: ClassVar[str] = "attendance.substitution.expired"


@dataclass(frozen=True, kw_only=True)
class SubstitutionRevoked(SubstitutionStep):
    """The teacher teaches the class after all."""

    name: ClassVar[str] = "attendance.substitution.revoked"
