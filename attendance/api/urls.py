"""Where attendance answers."""

from django.urls import path

from attendance.api import (
    calendar_views,
    check_in_views,
    condonation_views,
    decision_run_views,
    eligibility_views,
    excuse_views,
    export_views,
    history_views,
    lock_views,
    many_views,
    marking_views,
    policy_views,
    punch_views,
    reader_views,
    record_views,
    shortage_views,
    standing_views,
    substitution_views,
    views,
)

routes = [
    ("attendance/sessions", views.ClassSessionViewSet, "class-session"),
    ("attendance/codes", views.AttendanceCodeViewSet, "attendance-code"),
    ("attendance/policies", policy_views.AttendancePolicyViewSet, "attendance-policy"),
    ("attendance/check-ins", check_in_views.CheckInEventViewSet, "check-in"),
    ("attendance/records", record_views.AttendanceRecordViewSet, "attendance-record"),
    ("attendance/readers", reader_views.ReaderViewSet, "reader"),
    ("attendance/credentials", reader_views.CredentialViewSet, "credential"),
    ("attendance/decisions", eligibility_views.EligibilityDecisionViewSet, "eligibility-decision"),
    ("attendance/condonations", condonation_views.CondonationViewSet, "condonation"),
    ("attendance/decision-runs", decision_run_views.DecisionRunViewSet, "decision-run"),
    ("attendance/excuses", excuse_views.ExcuseViewSet, "excuse"),
    ("attendance/substitutions", substitution_views.SubstitutionViewSet, "substitution"),
]

SESSION = "attendance/sessions/<uuid:pk>"

urlpatterns = [
    path(
        "attendance/sessions/bulk-mark/",
        marking_views.MarkManyViewSet.as_view({"post": "mark_many"}),
        name="sessions-bulk-mark",
    ),
    path(
        "attendance/sessions/bulk-cancel/",
        many_views.CancelManyViewSet.as_view({"post": "cancel_many"}),
        name="sessions-bulk-cancel",
    ),
    path(
        "attendance/sessions/bulk-lock/",
        many_views.LockManyViewSet.as_view({"post": "lock_many"}),
        name="sessions-bulk-lock",
    ),
    path("attendance/sessions/sync/", marking_views.MarkManyViewSet.as_view({"post": "sync"}), name="sessions-sync"),
    path(f"{SESSION}/roster/", views.RosterViewSet.as_view({"get": "retrieve", "put": "mark"}), name="roster"),
    path(f"{SESSION}/open/", views.RosterViewSet.as_view({"post": "open"}), name="roster-open"),
    path(f"{SESSION}/close/", views.RosterViewSet.as_view({"post": "close"}), name="roster-close"),
    path(f"{SESSION}/lock/", lock_views.RosterLockViewSet.as_view({"post": "lock"}), name="roster-lock"),
    path(f"{SESSION}/unlock/", lock_views.RosterLockViewSet.as_view({"post": "unlock"}), name="roster-unlock"),
    path(
        f"{SESSION}/history/",
        history_views.SheetHistoryViewSet.as_view({"get": "retrieve"}),
        name="session-history",
    ),
    path(f"{SESSION}/check-in/", check_in_views.CheckInViewSet.as_view({"post": "check_in"}), name="session-check-in"),
    path(
        "attendance/records/export/",
        export_views.AttendanceExportViewSet.as_view({"get": "export"}),
        name="attendance-records-export",
    ),
    path(
        "attendance/shortages/export/",
        export_views.ShortageExportViewSet.as_view({"get": "export"}),
        name="attendance-shortages-export",
    ),
    path(
        "attendance/decisions/export/",
        export_views.DecisionExportViewSet.as_view({"get": "export"}),
        name="attendance-decisions-export",
    ),
    path("attendance/calendar-feed/", calendar_views.CalendarFeedView.as_view(), name="calendar-feed"),
    path("attendance/punches/", punch_views.PunchViewSet.as_view({"get": "list", "post": "take"}), name="punches"),
    *(
        path(f"{SESSION}/check-in/{step}/", check_in_views.CheckInWindowViewSet.as_view({method: action}), name=name)
        for step, method, action, name in (
            ("open", "post", "open_check_in", "check-in-open"),
            ("close", "post", "close_check_in", "check-in-close"),
            ("token", "get", "token", "check-in-token"),
        )
    ),
    path("attendance/shortages/", shortage_views.ShortageViewSet.as_view({"get": "list"}), name="shortages"),
    path(
        "attendance/excuses/<uuid:parent>/history/",
        excuse_views.ExcuseEventViewSet.as_view({"get": "list"}),
        name="excuse-history",
    ),
    path(
        "attendance/substitutions/<uuid:parent>/history/",
        substitution_views.SubstitutionEventViewSet.as_view({"get": "list"}),
        name="substitution-history",
    ),
    *(
        path(
            f"attendance/substitutions/<uuid:pk>/{answer}/",
            substitution_views.SubstitutionOfferViewSet.as_view({"post": answer}),
            name=f"substitution-{answer}",
        )
        for answer in ("accept", "decline")
    ),
    path(
        "students/<uuid:parent>/attendance/",
        standing_views.StudentAttendanceViewSet.as_view({"get": "retrieve"}),
        name="student-attendance",
    ),
    path(
        "sections/<uuid:parent>/attendance/",
        standing_views.SectionAttendanceViewSet.as_view({"get": "retrieve"}),
        name="section-attendance",
    ),
    path(
        "enrollments/<uuid:pk>/attendance/",
        standing_views.EnrollmentAttendanceViewSet.as_view({"get": "retrieve"}),
        name="enrollment-attendance",
    ),
]
