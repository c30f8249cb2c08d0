"""The numbers by which states know a person: protected more strictly than anything else about them."""

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models.person import COUNTRY, Person
from core.models import BaseQuerySet, VersionedModel
from core.security.fields import BlindIndexField, EncryptedTextField, normalised

FEWEST_CHARACTERS = 4
# At most so many characters are shown, and never more than a third.
SHOWN = 4
HIDDEN = "•"


def validate_identifier(value: str) -> None:
    """Refuse what a masked answer shows, and what is too short once spaces and punctuation are left out."""
    if HIDDEN in value:
        raise ValidationError("This is a masked value, not the identifier.", code="masked_value")
    if len(normalised(value)) < FEWEST_CHARACTERS:
        raise ValidationError("An identifier has at least four letters and digits.", code="too_short")


def masked(value: str) -> str:
    """Return a value with its last two to four characters alone, and with none of them when it is short."""
    shown = min(SHOWN, len(value) // 3)
    return HIDDEN * (len(value) - shown) + value[len(value) - shown :] if shown > 1 else HIDDEN * len(value)


class IdentifierScheme(models.TextChoices):
    NATIONAL_ID = "national_id", "National identity number"
    PASSPORT = "passport", "Passport"
    TAX_NUMBER = "tax_number", "Tax number"
    OTHER = "other", "Other"


class PersonIdentifierQuerySet(BaseQuerySet["PersonIdentifier"]):
    def for_api(self) -> Self:
        return self.select_related("person")

    def of_value(self, *, scheme: str, country: str, value: str) -> Self:
        """The one that a number names, whichever way it is written; nothing is decrypted."""
        return self.filter(scheme=scheme, country=country, value_index=value)


class PersonIdentifier(VersionedModel):
    """One number that an authority gave to a person, encrypted.

    `value_index` finds equal numbers without reading any.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=16, choices=IdentifierScheme)
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[COUNTRY],
        help_text="Whose authority issued it, as ISO 3166-1 alpha-2 code; empty only for the scheme `other`.",
    )
    value = EncryptedTextField(max_length=64, validators=[validate_identifier])
    value_index = BlindIndexField(of="value")

    objects = PersonIdentifierQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "country", "value_index"],
                name="accounts_personidentifier_unique_value",
                violation_error_code="identifier_taken",
                violation_error_message="This identifier is on record already.",
            ),
            models.CheckConstraint(
                condition=Q(scheme__in=IdentifierScheme.values),
                name="accounts_personidentifier_scheme_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such scheme.",
            ),
            models.CheckConstraint(
                condition=Q(scheme=IdentifierScheme.OTHER) | ~Q(country=""),
                name="accounts_personidentifier_country_named",
                violation_error_code="country_required",
                violation_error_message="An identifier of this scheme names the country that issued it.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.country}".strip()

    @classmethod
    def index_of(cls, value: str) -> bytes:
        """Return what `value_index` holds for a value."""
        field: Any = cls._meta.get_field("value_index")
        hashed: bytes = field.hashed(value)
        return hashed

    @property
    def masked_value(self) -> str:
        """The value with its last characters alone."""
        return masked(self.value)
