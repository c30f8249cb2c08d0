"""What a migration does to have the table of a kind of projects kept with the projects."""

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
