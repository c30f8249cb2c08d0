"""Who gets what: every method of every route, asked by every actor for every kind of row."""

import pytest
from django.apps import apps

from accounts.roles import Role
from core.customfields.api.of_record import CustomFieldsOfRecordViewSet
from core.customfields.selectors import entity_type_of
from core.visibility import grants_for, visible
from tests.authorization import matrix
from tests.authorization.expectations import address, reviewed
from tests.authorization.matrix import Operation
from tests.authorization.world import ARCHIVED, OTHER, OWN, World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.sweep,
]

# Models whose rows the system keeps for itself: no route shows them and no body names them.
UNSEEN = {
    "accounts.AccountMail", "accounts.ApiKeyUse", "accounts.FederatedLogIn", "accounts.GuessCount",
    "accounts.PendingLogIn", "accounts.RecoveryCode", "accounts.SigningKey", "admin.LogEntry",
    "attendance.CheckInWindow", "attendance.CoveredMark", "attendance.OfflineMark",
    "audit.Redaction", "audit.Seal", "auth.Group", "auth.Permission", "contenttypes.ContentType", "core.Chore",
    "core.IdempotencyKey", "core.Lease", "core.OutboxEvent", "core.Touch", "core.UniqueCustomValue",
    "faculty.FacultyReservation", "interop.ExternalIdentifier", "interop.ImportedValue",
    "notifications.DeliveryAttempt", "projects.ProjectMeta", "projects.SchoolProject",
    "projects.ProjectWords", "projects.SelfStudyProject", "projects.SubmissionFile", "projects.TopicPreference",
    "sessions.Session", "texts.Document",
}  # fmt: skip


@pytest.mark.checklist(1, 2, 3, 4, 6, 10)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("operation", matrix.operations(), ids=str)
def test_everybody_gets_what_is_expected_and_nothing_else(operation: Operation, world: World):
    faults = list(matrix.disagreements(world, operation, reviewed()))

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.checklist(5)
def test_whatever_a_mask_keeps_somebody_has_said_from_whom():
    expected, silent = reviewed(), set()
    for op in matrix.operations():
        shown = next((names for places, names in expected.readable.items() if op.place in places.split(", ")), "")
        said = {name for names in expected.protected.get(op.place, {}) for name in names.split()}
        for name in masked_names(op) & set(shown.split()):
            if not any(each == name or each.startswith(f"{name}.") for each in said):
                silent.add(f"{op.place}: {name}")

    assert not silent, (
        "Nobody has said who knows what is masked: add lines to `protected:` in tests/authorization/expectations.yaml "
        f"for {'; '.join(sorted(silent))}, and fill it in tests/authorization/world.py."
    )


def masked_names(op: Operation) -> set[str]:
    """Return the names under which the readers of an operation's rows show what is masked."""
    found: set[str] = set()
    for kind in ("list_serializer_class", "detail_serializer_class"):
        if getattr(op.route.view, "queryset", None) is not None:
            reader = getattr(op.route.view, kind)()
            fields = reader.get_fields()
            found |= reader.masked.keys() | {name for name in fields if reader.custom_mask and name == "custom_fields"}
    return found


@pytest.mark.checklist(80)
def test_no_line_is_about_a_route_that_is_not_served():
    served = {(resource, op.method, key) for op in matrix.operations() for resource, key in [address(op)]}

    stale = [line for line in reviewed().lines() if line not in served]

    assert not stale, f"expectations.yaml has lines for routes that are not served; remove them: {stale}"


def test_the_groups_name_actors_of_the_cast_alone(world: World):
    expected = reviewed()
    named = {actor for group in expected.groups.values() for name in group for actor in expected.members(name)}

    assert named == set(world.clients), "`groups:` in expectations.yaml and tests/authorization/cast.py differ."


def test_every_role_has_somebody_in_the_cast(world: World):
    without = set(Role) - set(world.roles.values())

    assert not without, (
        f"Nobody holds {without}: add an Actor to tests/authorization/cast.py and name them in `groups:`."
    )


@pytest.mark.checklist(4)
@pytest.mark.parametrize(
    "operation", [op for op in matrix.operations() if op.method == "GET" and op.route.lists], ids=str
)
def test_a_list_shows_exactly_the_rows_that_its_reader_may_see_one_by_one(operation: Operation, world: World):
    view = operation.route.view
    world.written = matrix.written()
    for actor, user in world.users.items():
        for target in [OWN, OTHER, ARCHIVED] if operation.names_a_row else [OWN]:
            if operation.names_a_row and world.row(operation.subject, target) is None:
                continue
            answer = matrix.ask(world, operation, actor, target, f"?page_size={matrix.PAGE}")
            if answer.status != 200:
                continue
            rows = view.queryset.order_by()
            if operation.names_a_row:
                parent = world.row(operation.subject, target)
                is_shared = issubclass(view, CustomFieldsOfRecordViewSet)
                key = entity_type_of(type(parent)) if is_shared else getattr(parent, getattr(view, "parent_key", "pk"))
                rows = rows.filter(**{view.parent_field: key})
            opened = {str(pk) for pk in rows.values_list("pk", flat=True) if visible(rows.filter(pk=pk), user).exists()}
            if len(opened) > matrix.PAGE:  # the logs, of which this is the first page
                assert answer.ids < opened, f"{operation} shows {actor} rows out of sight"
                continue
            if operation.route.model.__name__ == "Session":  # those that are over are not shown, nor those of others
                assert answer.ids <= opened, f"{operation} shows {actor} rows out of sight"
                continue
            assert answer.ids == opened, f"{operation} shows {actor} other rows than they may see"


@pytest.mark.checklist(1)
def test_somebody_has_said_who_sees_the_rows_of_every_model():
    shown = {op.route.model for op in matrix.operations() if hasattr(op.route.view, "queryset")}
    kept = {model for model in apps.get_models() if model._meta.label in UNSEEN or model._meta.app_label == "testapp"}

    silent = sorted(model._meta.label for model in {*apps.get_models()} - kept | shown if not grants_for(model))

    assert not silent, (
        f"Nobody is granted sight of {', '.join(silent)}: write a rule with @grants in the app's visibility.py, or add "
        "the model to UNSEEN in tests/authorization/test_matrix.py if no route and no body ever names its rows."
    )
