"""What has had its time goes, what is held stays, and the page that says so says what the code does."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts import services as accounts
from accounts.models import AccountMail, FederatedLogIn, SecondFactor, Session
from core.ids import new_id
from core.privacy.retention import periods
from interop.models import ImportJob, ImportRow
from interop.services.reversal import TooOldError, request_reversal
from privacy import services
from tests.accounts.factories import PersonFactory
from tests.privacy.people import somebody

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(88)]
PAGE = Path(settings.BASE_DIR) / "docs" / "reference" / "retention.md"
LONG = timedelta(days=4000)


@pytest.fixture
def old(settings, tmp_path):
    """Somebody all of whose rows are old, and a file that was uploaded long ago."""
    settings.IMPORT_ROOT = tmp_path / "imports"
    settings.IMPORT_ROOT.mkdir()
    (settings.IMPORT_ROOT / "old").write_bytes(b"last_name\n")
    side = somebody()
    ago = timezone.now() - LONG
    job = side.rows[ImportRow].job
    ImportJob.objects.filter(pk=job.pk).update(
        created_at=ago, stored_path="old", state="applied", has_effect=True, is_uploaded=True
    )
    Session.objects.update(expires_at=ago, rotated_at=ago)
    AccountMail.objects.update(requested_at=ago)
    return side


def left():
    return [ImportRow.objects.count(), Session.objects.count(), AccountMail.objects.count()]


def everything(at):
    services.apply_retention(at=at)
    accounts.purge_sessions(at=at)
    accounts.purge_account_mails(at=at)


def test_what_has_had_its_time_goes_and_what_has_not_stays(old):
    somebody(email="young@canary.example", passport="ZZ 111")

    everything(timezone.now())

    assert left() == [1, 1, 1]
    assert list(Path(settings.IMPORT_ROOT).iterdir()) == []
    assert services.apply_retention(at=timezone.now()) == 0


def test_nothing_goes_of_anybody_whose_records_are_held_until_they_are_released(old):
    hold = services.place_hold(by=None, person=old.person, reason="A case")

    everything(timezone.now())
    held = left()
    services.release_hold(hold, by=None, at=timezone.now(), reason="Closed")
    everything(timezone.now())

    assert (held, left()) == ([1, 1, 1], [0, 0, 0])


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_hold_on_any_record_of_somebody_holds_what_their_other_records_say(old, place):
    twin = PersonFactory()
    between = PersonFactory(merged_into=old.person if place == "before" else twin)
    (twin if place == "before" else old.person).merged_into = between
    twin.save()
    old.person.save()
    stranger = somebody(email="stranger@canary.example", passport="ZZ 111")
    Session.objects.filter(user=stranger.user).update(expires_at=timezone.now() - LONG)
    services.place_hold(by=None, person=twin, reason="A case")

    everything(timezone.now())

    assert set(Session.objects.values_list("user", flat=True)) == {old.user.pk}
    assert (Path(settings.IMPORT_ROOT) / "old").exists()
    with pytest.raises(services.HeldError):
        services.erase_person(old.person.pk, dry_run=True)


def test_what_was_begun_and_not_completed_goes_after_a_day(old):
    ago = timezone.now() - timedelta(days=1, minutes=1)
    SecondFactor.objects.update(created_at=ago)
    young = SecondFactor.objects.create(user=old.user, kind="webauthn", secret="challenge")
    kept = SecondFactor.objects.create(user=old.user, kind="totp", secret="x", confirmed_at=ago)
    SecondFactor.objects.filter(pk=kept.pk).update(created_at=ago)
    for expires_at in (ago, ago + timedelta(minutes=2)):
        FederatedLogIn.objects.create(
            provider="library", state_hash=new_id().bytes * 2, binding_hash=b"", redirect_uri="/", expires_at=expires_at
        )

    everything(timezone.now())

    assert set(SecondFactor.objects.all()) == {young, kept}
    assert FederatedLogIn.objects.count() == 1


def test_a_dry_run_says_how_every_period_stands_and_changes_nothing(old):
    out = io.StringIO()

    call_command("apply_retention", "--dry-run", "--json", stdout=out)
    call_command("apply_retention", "--dry-run", stdout=io.StringIO())

    due = {each["what"]: each["due"] for each in json.loads(out.getvalue())}
    assert left() == [1, 1, 1]
    assert {what for what, count in due.items() if count} == {
        "interop.ImportRow", "uploaded files of imports", "accounts.AccountMail",
        "accounts.Session and accounts.PendingLogIn, ended",
    }  # fmt: skip


def test_the_chore_does_what_it_says(old):
    out = io.StringIO()

    call_command("apply_retention", stdout=out)

    assert "2 rows and files deleted" in out.getvalue()


def test_an_import_whose_rows_have_had_their_time_is_not_taken_back(old):
    with pytest.raises(TooOldError):
        request_reversal(ImportJob.objects.get(stored_path="old"), by=None)


def test_the_page_says_what_the_code_does():
    lines = [
        f"| {each.what} | {each.kept().total_seconds() / 86400:g} | `{each.chore}` | {each.basis} |"
        for each in periods()
    ]
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]

    assert table == lines, "\n".join(["docs/reference/retention.md should say:", *lines])


def test_every_chore_of_a_period_is_in_the_schedule():
    assert {each.chore for each in periods()} <= settings.CELERY_BEAT_SCHEDULE.keys()
