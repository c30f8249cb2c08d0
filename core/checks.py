"""System checks: what must hold of every app before the server starts."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from core.masks import mask_on
from core.models import BaseQuerySet
from core.visibility import grants_for


@register("core")
def models_follow_the_rules(app_configs: Any, **options: Any) -> list[Error]:
    """Every model of ours queries through `BaseQuerySet`, and every constraint has a code and a name."""
    errors = []
    for label in settings.FIRST_PARTY_APPS:
        for model in apps.get_app_config(label).get_models():
            if not isinstance(model._default_manager.all(), BaseQuerySet):
                errors.append(Error("The model's queryset is no BaseQuerySet.", obj=model, id="core.E001"))
            for constraint in model._meta.constraints:
                if not constraint.violation_error_code:
                    errors.append(Error(f"{constraint.name} has no violation_error_code.", obj=model, id="core.E002"))
                prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
                if not constraint.name.startswith(prefix):
                    errors.append(Error(f"{constraint.name} does not begin with {prefix}.", obj=model, id="core.E003"))
    return errors


@register("core")
def resources_are_guarded(app_configs: Any, **options: Any) -> list[Error]:
    """Every routed action declares its permission, and somebody is granted sight of every resource."""
    errors = []
    for view, actions in routed_views(get_resolver()):
        queryset = getattr(view, "queryset", None)
        if queryset is not None and not grants_for(queryset.model):
            errors.append(Error(f"Nobody is granted sight of {queryset.model._meta.label}.", obj=view, id="core.E004"))
        required = getattr(view, "required_permissions", None)
        errors += [
            Error(f"The action {action} declares no permission.", obj=view, id="core.E005")
            for action in sorted(actions)
            if required is not None and action not in required
        ]
    return errors


@register("core")
def nothing_leads_to_what_is_masked(app_configs: Any, **options: Any) -> list[Error]:
    """No filter, ordering, search or reader of another row would tell what a mask keeps from somebody."""
    return [
        Error(f"{path} leads to a masked column.", obj=view, id="core.E006")
        for view, _ in routed_views(get_resolver())
        for model, path in _columns_asked_for(view)
        if mask_on(model, path) is not None
    ]


@register("core")
def nothing_outlives_its_transaction_behind_a_pooler(app_configs: Any, **options: Any) -> list[Error]:
    """A pooler that lends connections for one transaction would lose the cursors of querysets that are iterated."""
    return [
        Error(f"The database {alias} is behind a pooler and has server-side cursors.", id="core.E007")
        for alias, config in settings.DATABASES.items()
        if settings.DATABASE_IS_POOLED and not config["DISABLE_SERVER_SIDE_CURSORS"]
    ]


def _columns_asked_for(view: type[Any]) -> Iterator[tuple[type[Any], str]]:
    """Yield by which columns the rows of a view are chosen or arranged, and those that it shows of other rows."""
    queryset = getattr(view, "queryset", None)
    if queryset is None:
        return
    model = queryset.model
    filterset = getattr(view, "filterset_class", None)
    filters = filterset.base_filters.values() if filterset is not None else ()
    paths = [*(each.field_name or "" for each in filters), *getattr(view, "ordering_fields", {}).values()]
    yield from ((model, path) for path in [*paths, *getattr(model, "search_paths", ())])
    for name in ("list_serializer_class", "detail_serializer_class"):
        reader = getattr(view, name)()
        fields = reader.get_fields().items()
        shown = ((field.source or name).replace(".", "__") for name, field in fields if name not in reader.masked)
        yield from ((model, path) for path in shown)


def routed_views(resolver: URLResolver) -> Iterator[tuple[type[Any], set[str]]]:
    """Yield every class-based API view behind the URLs, with the actions or methods it routes."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routed_views(pattern)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if view is not None:
                actions = getattr(pattern.callback, "actions", None)
                yield view, set(actions.values()) if actions else _methods(view)


def _methods(view: type[Any]) -> set[str]:
    return {method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
