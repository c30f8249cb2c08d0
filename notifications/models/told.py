"""A notification tells one account one thing; attempts carry it out of the application, by mail.

    accounts.User 1 --- * Notification 1 --- * DeliveryAttempt
    accounts.User 1 --- * Preference, 1 --- 0..1 QuietHours

What somebody was told is nobody else's to read. A preference is a choice that differs from what its topic says, or once
did; where there is none, the topic decides.
"""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel
from core.time_zones import validate_time_zone

LONGEST_TOPIC, LONGEST_KEY = 64, 200
# Of this site and of no other: `//elsewhere` and `/\elsewhere` lead away.
PATH = r"^/([^/\\\s][^\\\s]*)?$"


class Channel(models.TextChoices):
    IN_APP = "in_app", "In the application"
    EMAIL = "email", "By e-mail"


class Digest(models.TextChoices):
    AT_ONCE = "at_once", "At once"
    DAILY = "daily", "Once a day, together"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waits for its time"
    SENDING = "sending", "Is being handed to the mail server"
    SENT = "sent", "Taken by the mail server"
    DROPPED = "dropped", "Not wanted any more"
    FAILED = "failed", "Given up"
    UNCLEAR = "unclear", "Whoever sent it did not come back"


class NotificationQuerySet(BaseQuerySet["Notification"]):
    def listed(self) -> Self:
        """Those that the application shows."""
        return self.filter(is_listed=True)

    def unread(self) -> Self:
        """Those that nobody has said to have read."""
        return self.filter(read_at=None)


class Notification(TimeStampedUUIDModel):
    """That one account was told one thing; `created_at` is when.

    The text names nobody but whom it goes to: it stays when somebody else is erased, and mail servers read it.
    """

    # Every way to look for one begins with whose it is, and has an index of its own.
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    topic = models.CharField(max_length=LONGEST_TOPIC)
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=2000, blank=True)
    link = models.CharField(
        max_length=300, blank=True, help_text="The path of what it is about: of a page below `PUBLIC_URL`."
    )
    dedupe_key = models.CharField(max_length=LONGEST_KEY, help_text="What happened: nobody is told it twice.")
    told_in = models.BigIntegerField(
        null=True,
        editable=False,
        db_default=Func(function="audit_xact", output_field=models.BigIntegerField()),
        help_text="The number of its transaction, by which streams know what comes after what.",
    )
    is_listed = models.BooleanField(default=True, help_text="Shown in the application, and not told by mail alone.")
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["recipient", "created_at", "id"], name="notifications_by_recipient"),
            models.Index(
                fields=["recipient", "created_at", "id"], condition=Q(read_at=None), name="notifications_unread"
            ),
            models.Index(fields=["created_at"], name="notifications_by_age"),
            models.Index(fields=["recipient", "told_in", "id"], name="notifications_by_transaction"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["recipient", "dedupe_key"],
                name="notifications_notification_once",
                violation_error_code="conflict",
                violation_error_message="They have been told this already.",
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(dedupe_key=""),
                name="notifications_notification_says_what",
                violation_error_code="invalid",
                violation_error_message="A notification has a title, and says what happened.",
            ),
            models.CheckConstraint(
                condition=Q(link="") | Q(link__regex=PATH),
                name="notifications_notification_leads_nowhere_else",
                violation_error_code="invalid",
                violation_error_message="A link is a path of this site.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic} for {self.recipient_id}"


class Preference(TimeStampedUUIDModel):
    """Whether somebody wants to be told about a topic by a channel, and how soon."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences", db_index=False
    )
    topic = models.CharField(max_length=LONGEST_TOPIC)
    channel = models.CharField(max_length=8, choices=Channel)
    is_enabled = models.BooleanField()
    digest = models.CharField(max_length=8, choices=Digest, default=Digest.AT_ONCE)

    objects = BaseQuerySet["Preference"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "topic", "channel"],
                name="notifications_preference_one_each",
                violation_error_code="conflict",
                violation_error_message="Somebody chooses once for each topic and channel.",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values) & Q(digest__in=Digest.values),
                name="notifications_preference_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such channel or digest.",
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.EMAIL) | Q(digest=Digest.AT_ONCE),
                name="notifications_preference_digests_by_mail",
                violation_error_code="digest_needs_mail",
                violation_error_message="Only mails are put together; the application shows everything at once.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.topic} {self.channel}"


class QuietHours(TimeStampedUUIDModel):
    """Between which local times somebody gets no mail, every night or day anew; the end may lie on the next day."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiet_hours")
    starts_at = models.TimeField()
    ends_at = models.TimeField()
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])

    objects = BaseQuerySet["QuietHours"].as_manager()

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints = (
            models.CheckConstraint(
                condition=~Q(starts_at=F("ends_at")),
                name="notifications_quiethours_last",
                violation_error_code="empty_quiet_hours",
                violation_error_message="Quiet hours end at another time than they start.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.starts_at:%H:%M} to {self.ends_at:%H:%M} {self.time_zone}"


class DeliveryAttemptQuerySet(BaseQuerySet["DeliveryAttempt"]):
    def due(self, at: datetime) -> Self:
        """Those whose time has come and that nobody is sending."""
        return self.filter(state=DeliveryState.WAITING, due_at__lte=at)

    def lost(self, before: datetime) -> Self:
        """Those that were taken up so long ago that whoever did will not come back."""
        return self.filter(state=DeliveryState.SENDING, claimed_at__lt=before)


class DeliveryAttempt(TimeStampedUUIDModel):
    """What becomes of a notification that goes out of the application by a channel.

    One that is `sending` is somebody's, and tried again only if the server has said no: where nobody knows whether it
    went, it is `unclear` and stays so, since the notification is there to be read all the same.
    """

    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="delivery_attempts", db_index=False
    )
    channel = models.CharField(max_length=8, choices=Channel)
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.WAITING)
    due_at = models.DateTimeField(help_text="Not before this: quiet hours, digests and failures put it off.")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When somebody last took it up.")
    last_error = models.CharField(max_length=100, blank=True, help_text="The kind of the last failure.")
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryAttemptQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="notifications_mail_due"),
            models.Index(fields=["claimed_at"], condition=Q(state="sending"), name="notifications_mail_taken_up"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["notification", "channel"],
                name="notifications_deliveryattempt_once_each",
                violation_error_code="conflict",
                violation_error_message="A notification goes out once by each channel.",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values) & Q(state__in=DeliveryState.values),
                name="notifications_deliveryattempt_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such channel or state.",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SENT, sent_at__isnull=False)
                | (~Q(state=DeliveryState.SENT) & Q(sent_at=None)),
                name="notifications_deliveryattempt_sent_when",
                violation_error_code="invalid",
                violation_error_message="What was sent was sent at some time, and nothing else was.",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.SENDING) | Q(claimed_at__isnull=False),
                name="notifications_deliveryattempt_taken_up_when",
                violation_error_code="invalid",
                violation_error_message="What is being sent was taken up at some time.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.notification_id} by {self.channel}: {self.state}"
