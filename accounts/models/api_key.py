"""The keys with which programs call the API, and when each was used."""

from datetime import datetime
from ipaddress import ip_network
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q

from accounts.api_keys import permissions_for_keys
from accounts.models.user import User, held_by
from core.models import BaseQuerySet, VersionedModel

LONGEST_NETWORK = 43
MOST_NETWORKS, MOST_SCOPES = 50, 200


def validate_network(text: str) -> None:
    """Refuse what names no network of addresses."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValidationError("This is no network: write 192.0.2.0/24 or 2001:db8::/48.", code="no_network") from None


class ApiKeyQuerySet(BaseQuerySet["ApiKey"]):
    def live(self, at: datetime) -> Self:
        """Those that open something still."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at)

    def with_account(self) -> Self:
        """Load the account with the roles that it holds now, and the last use, without another query."""
        return self.select_related("user", "use").annotate(held=held_by(OuterRef("user")))

    def for_api(self) -> Self:
        return self.select_related("user", "created_by", "use")


class ApiKey(VersionedModel):
    """One key of a service account: what it opens of all that the account may do, from where and until when.

    The key itself is told once, when it is made; the row holds its hash.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="Which program uses it.")
    prefix = models.CharField(max_length=8, editable=False, help_text="The part after `chk_`, by which it is known.")
    key_hash = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=100),
        size=MOST_SCOPES,
        help_text="The permissions that it has as long as the roles of its account give them.",
    )
    ip_networks = ArrayField(
        models.CharField(max_length=LONGEST_NETWORK, validators=[validate_network]),
        size=MOST_NETWORKS,
        default=list,
        db_default=[],
        blank=True,
        help_text="Where it may be used from; empty for everywhere.",
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    # The key itself, on a row that was just made and nowhere else.
    secret: str = ""

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(
                fields=["prefix"],
                name="accounts_apikey_unique_prefix",
                violation_error_code="prefix_taken",
                violation_error_message="Another key has this prefix.",
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                name="accounts_apikey_one_successor",
                violation_error_code="api_key_rotated",
                violation_error_message="The key was rotated already.",
            ),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0),
                name="accounts_apikey_opens_something",
                violation_error_code="scopes_required",
                violation_error_message="A key names the permissions that it is for.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="accounts_apikey_ends_after_it_begins",
                violation_error_code="expires_in_past",
                violation_error_message="A key expires in the future.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (chk_{self.prefix})"

    def is_live(self, at: datetime) -> bool:
        """Say whether the key has neither expired nor been revoked."""
        return self.revoked_at is None and self.expires_at > at

    @property
    def account(self) -> User:
        """The account as this key acts for it: its roles, narrowed to what the key is for."""
        user: User = self.user
        user.held = getattr(self, "held", None)
        user.limited_to = permissions_for_keys().intersection(self.scopes)
        return user


class ApiKeyUse(models.Model):
    """When and from where a key was last accepted, and last refused for where it was sent from; exact to a minute.

    Apart from the key, so that its use neither counts as a change of it nor waits for one.
    """

    key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="use")
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    last_refused_at = models.DateTimeField(null=True)
    last_refused_ip = models.GenericIPAddressField(null=True)

    objects = BaseQuerySet["ApiKeyUse"].as_manager()

    def __str__(self) -> str:
        return f"{self.key_id} at {self.last_used_at}"
