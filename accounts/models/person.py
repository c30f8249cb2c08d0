"""A human being, apart from the parts they play: one person may study, teach and log in."""

from datetime import date, timedelta
from datetime import timezone as fixed_zone
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, NullIf, Upper
from django.utils import timezone

from core.models import BaseQuerySet, VersionedModel
from core.search import search_indexes, search_text

# Where a day begins first.
FIRST_ZONE = fixed_zone(timedelta(hours=14))
# Whatever is space to Python, of which none lies beyond U+3000; PostgreSQL by itself trims no more than blanks.
SPACE = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
COUNTRY = RegexValidator(r"^([A-Z]{2})?$", "A country is named by two capital letters.", code="invalid_country")


def validate_past(day: date) -> None:
    """Refuse a day that has not come yet anywhere on earth."""
    if day > timezone.now().astimezone(FIRST_ZONE).date():
        raise ValidationError("This day lies in the future.", code="date_in_future")


class SamePerson(models.Func):
    """Every record of somebody who was recorded more than once, one row each."""

    function = "accounts_same_person"
    set_returning = True
    output_field = models.UUIDField()


class Gender(models.TextChoices):
    FEMALE = "female", "Female"
    MALE = "male", "Male"
    OTHER = "other", "Other"
    UNDISCLOSED = "undisclosed", "Not disclosed"


class Person(VersionedModel):
    """One human being, under the name the university uses for them."""

    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    preferred_name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(max_length=254, blank=True, help_text="Where the university writes to them.")
    phone = models.CharField(max_length=32, blank=True)
    birth_date = models.DateField(null=True, blank=True, validators=[validate_past])
    gender = models.CharField(max_length=12, choices=Gender, blank=True)
    nationality = models.CharField(
        max_length=2, blank=True, validators=[COUNTRY], help_text="ISO 3166-1 alpha-2 code, such as AT."
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # What those find and order people by who are shown the name and nothing else, as `name` says it.
    called_name = models.GeneratedField(
        expression=Coalesce(NullIf("preferred_name", Value("")), "first_name"),
        output_field=models.CharField(max_length=150),
        db_persist=True,
    )
    search_name = search_text(Coalesce(NullIf("preferred_name", Value("")), "first_name"), "last_name")
    search_text = search_text("first_name", "last_name", "preferred_name", "email")

    search_paths: ClassVar = ("search_text",)
    in_sql: ClassVar = {"name": lambda of: (_name(of), models.TextField())}

    objects = BaseQuerySet["Person"].as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")),
                name="accounts_person_not_merged_into_itself",
                violation_error_code="merged_into_itself",
                violation_error_message="A person cannot be merged into themselves.",
            ),
            models.CheckConstraint(
                condition=Q(gender__in=["", *Gender.values]),
                name="accounts_person_gender_known",
                violation_error_code="invalid_choice",
                violation_error_message="The gender is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("accounts_person"),
            *search_indexes("accounts_person_shown", column="search_name"),
            models.Index(fields=["last_name", "called_name"], name="accounts_person_shown_name"),
            # What looking for an address in any spelling asks for.
            models.Index(Upper("email"), name="accounts_person_email"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name to show: the preferred one before the family name."""
        return f"{self.preferred_name or self.first_name} {self.last_name}".strip() or "(no name)"


def _name(of: str) -> Combinable:
    """Return `Person.name` as SQL."""
    whole = Concat(f"{of}called_name", Value(" "), f"{of}last_name")
    bare = Func(whole, Value(SPACE), function="btrim", output_field=TextField())
    return Coalesce(NullIf(bare, Value("")), Value("(no name)"))
