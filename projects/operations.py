"""What a migration does to have the table of a kind of projects kept with the projects, and searched with them."""

from collections.abc import Sequence

from django.db.migrations.operations import RunSQL

# The names of tables come from migrations.
ADD = """
ALTER TABLE {table} ADD CONSTRAINT {table}_of_project
    FOREIGN KEY (id, project_type) REFERENCES projects_project (id, project_type);

CREATE CONSTRAINT TRIGGER {table}_kept AFTER DELETE OR UPDATE OF id ON {table} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION projects_check_details_of_old();
"""
REMOVE = """
DROP TRIGGER {table}_kept ON {table};
ALTER TABLE {table} DROP CONSTRAINT {table}_of_project;
"""


class KeepDetails(RunSQL):
    """Let every row of a table belong to a project of its type, and not go without it.

    The migration has made the table, of a model that is a `ProjectDetails`.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(ADD.format(table=table), REMOVE.format(table=table))

    def deconstruct(self) -> tuple[str, list[str], dict[str, str]]:
        return type(self).__qualname__, [self.table], {}

    def describe(self) -> str:
        return f"Keep {self.table} with the projects"


# The names of tables and columns come from migrations.
SEARCH = """
CREATE TRIGGER {table}_words AFTER INSERT OR UPDATE OF {columns} ON {table}
FOR EACH ROW EXECUTE FUNCTION projects_words_of_details({arguments});
"""
DO_NOT_SEARCH = "DROP TRIGGER {table}_words ON {table};"


class SearchDetails(RunSQL):
    """Let the projects of a kind be found by the words in some columns of its table: the `searched` ones of its `Kind`.

    The migration has made the table, of a model that is a `ProjectDetails`. Rows that a table had before are not read.
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self.table, self.columns = table, columns
        arguments = ", ".join(f"'{column}'" for column in columns)
        super().__init__(
            SEARCH.format(table=table, columns=", ".join(columns), arguments=arguments),  # nosec B608 - made of constants
            DO_NOT_SEARCH.format(table=table),
        )

    def deconstruct(self) -> tuple[str, list[str | list[str]], dict[str, str]]:
        return type(self).__qualname__, [self.table, list(self.columns)], {}

    def describe(self) -> str:
        return f"Find projects by the words in {self.table}"
