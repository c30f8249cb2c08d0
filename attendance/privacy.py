"""What attendance says about people."""

from django.conf import settings

from attendance import services
from attendance.models import (
    AttendanceRecord,
    AttendanceSummary,
    CalendarFeed,
    CheckInEvent,
    CheckInWindow,
    ClassSession,
    Condonation,
    CoveredMark,
    Credential,
    DecisionRun,
    EligibilityDecision,
    ExcuseEvent,
    ExcuseRequest,
    OfflineMark,
    Punch,
    Reader,
    Substitution,
    SubstitutionEvent,
)
from attendance.services.offline import KEPT as OFFLINE_KEPT
from core.privacy import impersonal, may_name_people, personal
from core.privacy.retention import keep_for

personal(
    AttendanceRecord,
    says="In which classes you were marked, with what, and when.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("enrollment__student__person",),
    keeps="session section local_date code minutes_late source marked_at",
    withholds={"client_id": "A number that a teacher's device gave to what it sent."},
    mentions={"marked_by": "Who marked you, in the course of their work."},
)
personal(
    AttendanceSummary,
    says="What your marks come to in each course, and whether that is enough.",
    kept="As long as the marks from which it follows.",
    paths=("enrollment__student__person",),
    keeps="section term counted exempt attended late late_attended policy percent is_short is_alerted",
)
personal(
    EligibilityDecision,
    says="Whether your attendance admits you to the examination of a course, what that was decided by, and why not so.",
    kept="For good, as the marks are that it follows from; erasure empties what was said.",
    paths=("enrollment__student__person",),
    keeps="section term outcome attended counted exempt unmarked policy policy_version basis rounding threshold"
    " condonation_floor bar floor_bar condoned_from decided_at superseded_at",
    clears="reason note",
    mentions={
        "condonation": "The decision about yourself by which the shortage was condoned.",
        "decided_by": "Who decided, in the course of their work.",
    },
)
personal(
    Condonation,
    says="What was brought for your shortage to be condoned, such as a document.",
    kept="For good, as the decision is that rests on it; erasure empties what was said, and its documents go.",
    paths=("decision__enrollment__student__person",),
    clears="custom_data",
)
personal(
    CheckInEvent,
    says="When and from where you checked in to classes or tried to, what came of it, and what was strange about it.",
    kept="Half a year, unless the university sets another time.",
    paths=("student__person",),
    keeps="session section outcome at during address latitude longitude flags reviewed_at note",
    withholds={"device_hash": "A hash by which attempts of one device are told from others."},
    mentions={
        "enrollment": "Your own enrolment in the section.",
        "reviewed_by": "Who looked at it, in the course of their work.",
    },
    deletes=True,
)
personal(
    Punch,
    says="When a reader saw your card, and of which class that was.",
    kept="Half a year, unless the university sets another time.",
    paths=("student__person",),
    keeps="reader external_event_id session at outcome",
    deletes=True,
)
personal(
    Credential,
    says="By which cards the readers know you, as people call them.",
    kept="Until somebody who answers for it removes it, or erasure does.",
    paths=("student__person",),
    keeps="label",
    withholds={"credential_hash": "A hash of what the card says."},
    deletes=True,
)
impersonal(Reader, account="The account of a program.")
impersonal(ClassSession, substitute="Who teaches it in the place of its teacher, as their substitution says.")
may_name_people(ClassSession, columns="note lock_note", finds=services.sessions_that_may_name)
impersonal(DecisionRun, requested_by="Who asked for it, in the course of their work.")
impersonal(CheckInWindow, opened_by="Who let the students of a session check in, in the course of their work.")

keep_for(
    "attendance.CheckInEvent",
    kept=lambda: settings.CHECK_INS_KEPT,
    basis="A term's doubts about who was there are settled within the next; the mark itself is kept for good.",
    due=lambda at: services.arrivals_due(CheckInEvent, at).count(),
    apply=lambda at: services.purge_arrivals(CheckInEvent, at),
)
keep_for(
    "attendance.Punch",
    kept=lambda: settings.CHECK_INS_KEPT,
    basis="What a mark comes from can be looked into for as long as that of a check-in.",
    due=lambda at: services.arrivals_due(Punch, at).count(),
    apply=lambda at: services.purge_arrivals(Punch, at),
)
personal(
    ExcuseRequest,
    says="The excuses that you asked for, or somebody did for you, and what was decided.",
    kept="For good, as the marks are that it explains; erasure empties what was said, and its documents go.",
    paths=("student__person",),
    keeps="period kind status",
    clears="statement custom_data",
    mentions={
        "requested_by": "Who asked for it: yourself, or somebody in the course of their work.",
        "decided_by": "Who decided, in the course of their work.",
    },
)
personal(
    ExcuseEvent,
    says="The steps of your excuses.",
    kept="For as long as the excuse; erasure empties the reasons.",
    paths=("excuse__student__person",),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions={"actor": "Who took the step: yourself, or somebody in the course of their work."},
)
personal(
    CoveredMark,
    says="What you would be marked with in a class if you were not excused.",
    kept="For as long as the mark.",
    paths=("enrollment__student__person",),
    keeps="session code minutes_late source marked_at",
    withholds={"client_id": "A number that a teacher's device gave to what it sent."},
    mentions={"excuse": "Your excuse.", "marked_by": "Who marked you, in the course of their work."},
)
personal(
    OfflineMark,
    says="With what you were marked on a device that sent it later, and whether that came to stand.",
    kept="Half a year, in which the device may send it again.",
    paths=("enrollment__student__person",),
    keeps="session code minutes_late made_at made_on outcome",
    withholds={"client_id": "A number that a teacher's device gave to what it sent."},
    mentions={"user": "Who marked you, in the course of their work."},
)
keep_for(
    "attendance.OfflineMark",
    kept=lambda: OFFLINE_KEPT,
    basis="A device that was away may send a mark again, and is answered as before.",
    due=services.offline_marks_due,
    apply=services.forget_offline_marks,
)
personal(
    Substitution,
    says="In which classes somebody else was asked to teach in your place, or you in theirs, and what came of it.",
    kept="For good: who taught a class is part of its record; erasure empties the reason.",
    paths=("substitute__person", "instructor__person"),
    keeps="session status",
    clears="reason",
    mentions={
        "instructor": "In whose place somebody was asked: you, or a colleague.",
        "substitute": "Who was asked: you, or a colleague.",
        "proposed_by": "Who asked, in the course of their work.",
    },
)
personal(
    SubstitutionEvent,
    says="The steps of these substitutions.",
    kept="For as long as the substitution; erasure empties the reasons.",
    paths=("substitution__substitute__person", "substitution__instructor__person"),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions={"actor": "Who took the step, in the course of their work."},
)
personal(
    CalendarFeed,
    says="That a calendar program may read when you have classes, and since when.",
    kept="Until you revoke it, or erasure does.",
    paths=("user__person",),
    keeps="made_at",
    withholds=dict.fromkeys(["secret_hash"], "A hash of what opens it."),
    deletes=True,
)
