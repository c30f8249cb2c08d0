"""`column__among=values`: `IN` for long lists, sent as one array instead of a parameter for each value."""

from typing import Any

from django.db.models import Field, ForeignObject, Lookup


@Field.register_lookup
@ForeignObject.register_lookup
class Among(Lookup):
    """`column = ANY(array)`; an empty list matches nothing."""

    lookup_name = "among"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        field: Any = getattr(self.lhs.output_field, "target_field", self.lhs.output_field)
        return "%s", ([field.get_db_prep_value(one, connection, prepared=False) for one in value],)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*left_params, *right_params]
