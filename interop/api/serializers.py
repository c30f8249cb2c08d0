"""The JSON shapes of imports."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.parsers import loads
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, WriteSerializer
from core.api.uploads import FormWriter
from core.errors import InvalidError
from interop import services
from interop.models import ImportJob, ImportKind, ImportRow


class CountsSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="Refused, or in conflict with what stands in the records.")


class CountsOfJob(CountsSerializer):
    over_capacity = serializers.IntegerField(help_text="Enrolments recorded although their section was full.")
    by_type = serializers.DictField(child=CountsSerializer(), help_text="The same by resource, as in the URLs.")


class CountsOfReversedType(CountsSerializer):
    updated = serializers.IntegerField(help_text="Rows that are again what they were before the import.")
    deleted = serializers.IntegerField(help_text="Rows that the import had created.")


class ReversalSerializer(CountsOfReversedType):
    rows = serializers.IntegerField(help_text="Records of the import that were looked at.")
    seconds = serializers.FloatField()
    peak_mb = serializers.FloatField()
    by_type = serializers.DictField(child=CountsOfReversedType(), help_text="The same by resource, as in the URLs.")


class FaultSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class FileFaultSerializer(FaultSerializer):
    meta = serializers.DictField(
        help_text="Where it is: file, line and column as far as known; `rows` that stand in the way."
    )


class RemarkSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    file = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField(allow_null=True)


class ImportJobSerializer(BaseListSerializer[ImportJob]):
    percent = serializers.IntegerField(help_text="How far the present step has come.")
    counts = serializers.SerializerMethodField(help_text="Expected once validated, done once applied.")
    actor = UserBrief(allow_null=True)

    class Meta:
        model = ImportJob
        fields = [
            "id", "kind", "file_name", "sha256", "state", "rows_total", "rows_done", "rows_read", "percent", "counts",
            "is_forced", "actor", "seconds", "peak_mb", "validated_at", "applied_at", "reverted_at", "created_at",
            "updated_at",
        ]  # fmt: skip

    @extend_schema_field(CountsOfJob)
    def get_counts(self, job: ImportJob) -> dict[str, Any]:
        summary = services.summary(job)
        counts = {name: summary[name] for name in ("created", "updated", "unchanged", "rejected", "by_type")}
        return {**counts, "over_capacity": services.over_capacity(job)}


class ImportJobDetailSerializer(ImportJobSerializer):
    mapping = serializers.DictField(child=serializers.CharField(allow_blank=True, allow_null=True))
    options = serializers.DictField()
    # The metaclass takes declared fields off the class, so the serializer's own `errors` stays what it is.
    errors = FileFaultSerializer(many=True)  # type: ignore[assignment]  # a property of every serializer
    remarks = RemarkSerializer(
        many=True, help_text="What is to be known about whole files; `ignored_columns` names what is not imported."
    )
    reversal = serializers.SerializerMethodField(help_text="What taking the import back did, once it was taken back.")

    class Meta(ImportJobSerializer.Meta):
        fields = [*ImportJobSerializer.Meta.fields, "mapping", "options", "errors", "remarks", "reversal"]

    @extend_schema_field(ReversalSerializer(allow_null=True))
    def get_reversal(self, job: ImportJob) -> dict[str, Any] | None:
        if not job.reversal:
            return None
        return {name: value for name, value in services.reversal_summary(job).items() if name != "kind"}


@extend_schema_field({"type": "string", "contentMediaType": "application/json"})
class JSONTextField(serializers.CharField):
    """An object as JSON text, as a part of a form carries it; read as strictly as a body."""

    default_error_messages = {"object_expected": "A JSON object is expected."}

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            value = loads(text.encode())
        except InvalidError as error:
            raise serializers.ValidationError(error.detail, code=error.error_code) from None
        if not isinstance(value, dict):
            self.fail("object_expected")
        return value


class MappingField(JSONTextField):
    """Column names of the file by our field names; null for a field that is not to be filled."""

    default_error_messages = {"invalid_mapping": "Names are mapped to names, or to null."}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not all(column is None or isinstance(column, str) for column in value.values()):
            self.fail("invalid_mapping")
        return value


class FormTruthField(serializers.BooleanField):
    """True or false, as a part of a form spells them, and no other word for either."""

    # A page's box that is not ticked is left out; a part that is left out says nothing.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class ImportUploadWriter(FormWriter):
    """A form with the file and what is to be known about it."""

    # An empty file has a code of its own, given by the service.
    file = serializers.FileField(allow_empty_file=True)
    kind = serializers.ChoiceField(ImportKind.choices)
    mapping = MappingField(required=False, help_text="Column names of the file by our field names.")
    options = JSONTextField(
        required=False,
        help_text="`overwrite_edited`: true; `beyond_capacity`: true records enrolments of terms that are not over "
        "whatever the rules of registration say, and takes the permission `enrollment.override_rules` for the whole "
        "institution; of a `uiuc_catalogue`, `starts_on` and `ends_on`.",
    )
    force = FormTruthField(required=False, default=False, help_text="Let the same file be in force more than once.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the service, which measures the file."""
        content = attrs.pop("file")
        return {**attrs, "content": content, "file_name": content.name}


class StepWriter(WriteSerializer):
    """A step about which there is nothing to say."""


class RevertWriter(WriteSerializer):
    force = serializers.BooleanField(
        required=False, default=False, help_text="Take rows back although they were changed since."
    )


class ImportRowSerializer(BaseDetailSerializer[ImportRow]):
    raw = serializers.DictField(
        child=serializers.CharField(allow_blank=True), help_text="The cells of the imported columns as they stood."
    )
    values = serializers.DictField(help_text="What the row is to hold.")
    reasons = FaultSerializer(many=True)
    notes = FaultSerializer(many=True)

    class Meta:
        model = ImportRow
        fields = [
            "id", "position", "file", "row_no", "resource", "natural_key", "external_id", "action", "reasons", "notes",
            "raw", "values", "object_id", "applied_at",
        ]  # fmt: skip
