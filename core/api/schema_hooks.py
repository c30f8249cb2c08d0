"""What is done to the whole OpenAPI document at the end: names for enums, examples, error codes."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from drf_spectacular.plumbing import list_hash, safe_ref

from core.api.bulk_frames import MODES
from core.api.codes import known_codes
from core.api.schema_components import response_name
from core.api.schema_examples import example_of

Schema = dict[str, Any]

# drf-spectacular's mark for a set of choices, made from its values and labels.
MARK = "x-spec-enum-id"


def complete(result: Schema, generator: Any, **options: Any) -> Schema:
    """Finish a document; the only postprocessing hook that the settings name."""
    name_enums(result)
    add_examples(result)
    list_codes(result)
    return result


def name_enums(result: Schema) -> None:
    """Move every set of choices into a component, named after the model and field that declare it.

    The library names them after the property and gives up when two resources both have a `status`.
    """
    schemas: Schema = result.get("components", {}).get("schemas", {})
    names = _names_of_choices()
    taken = set(schemas)
    found: Schema = {}
    for component, prop, holder, key in _choices(schemas):
        schema = holder[key]
        mark = schema.pop(MARK, None) or list_hash([(value, value) for value in _values(schema)])
        if mark not in names:
            name = f"{_stem(component)}{_camel(prop)}Enum"
            names[mark] = name if name not in taken else f"{component}{_camel(prop)}Enum"
        name = names[mark]
        taken.add(name)
        found.setdefault(name, _enum(schema))
        holder[key] = _reference(schema, name)
    schemas.update(found)
    if schemas:
        result["components"]["schemas"] = dict(sorted(schemas.items()))
    _drop_marks(result)


def _names_of_choices() -> dict[str, str]:
    names = {list_hash([(mode, mode) for mode in MODES]): "BulkModeEnum"}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not field.choices:
                continue
            choices = [(value, label) for value, label in field.flatchoices if value not in ("", None)]
            name = f"{model.__name__}{_camel(field.name)}Enum"
            if name in names.values():
                name = f"{_camel(model._meta.app_label)}{name}"
            names.setdefault(list_hash(choices), name)
    return names


def _choices(schemas: Schema) -> Iterator[tuple[str, str, Schema, str]]:
    """Yield the component, the property, and where its schema with choices stands."""
    for component, schema in sorted(schemas.items()):
        for prop, properties in _properties(schema):
            holder, key = properties, prop
            while isinstance(holder[key].get("items"), dict):
                holder, key = holder[key], "items"
            if "enum" in holder[key]:
                yield component, prop, holder, key


def _properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    properties = schema.get("properties", {})
    for prop in properties:
        yield prop, properties
    for combination in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(combination, ()):
            yield from _properties(part)


def _values(schema: Schema) -> list[Any]:
    return [value for value in schema["enum"] if value not in ("", None)]


def _enum(schema: Schema) -> Schema:
    kinds = schema.get("type")
    kind = next((kind for kind in kinds if kind != "null"), None) if isinstance(kinds, list) else kinds
    described = _labels(schema.get("description", ""))
    return {
        **({"type": kind} if kind else {}),
        "enum": _values(schema),
        **({"description": described} if described else {}),
    }


def _reference(schema: Schema, name: str) -> Schema:
    """Return what stands in the property's place: the component, and what else may be sent."""
    own = {key: value for key, value in schema.items() if key not in ("type", "enum", "description")}
    if prose := schema.get("description", "").partition("* `")[0].strip():
        own["description"] = prose
    alternatives: list[Schema] = [{"$ref": f"#/components/schemas/{name}"}]
    if "" in schema["enum"]:
        alternatives.append({"type": "string", "const": ""})
    if None in schema["enum"]:
        alternatives.append({"type": "null"})
    if len(alternatives) > 1:
        return {**own, "oneOf": alternatives}
    reference: Schema = safe_ref({**own, **alternatives[0]})
    return reference


def _labels(description: str) -> str:
    _, bullet, labels = description.partition("* `")
    return bullet + labels


def _stem(component: str) -> str:
    return component.removeprefix("Patched").removesuffix("Request") or component


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _drop_marks(node: Any) -> None:
    if isinstance(node, dict):
        node.pop(MARK, None)
        for inner in node.values():
            _drop_marks(inner)
    elif isinstance(node, list):
        for inner in node:
            _drop_marks(inner)


def add_examples(result: Schema) -> None:
    """Give every request and every success an example made from its schema, where it has none."""
    schemas: Schema = result.get("components", {}).get("schemas", {})
    for name, schema in schemas.items():
        if name.endswith(("Request", "Response")) and "examples" not in schema:
            example = example_of(schema, schemas, required_only=name.endswith("Request"))
            if example is not None:
                schema["examples"] = [example]


def list_codes(result: Schema) -> None:
    """Say beside each refusal which codes come with it."""
    responses: Schema = result.get("components", {}).get("responses", {})
    codes: dict[str, list[str]] = {}
    for known in known_codes():
        codes.setdefault(response_name(known.status), []).append(known.code)
    for name, response in responses.items():
        response["x-codes"] = codes.get(name, [])
