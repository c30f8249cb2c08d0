"""As many projects as it takes for the planner of PostgreSQL to choose indexes by itself."""

from django.db import connection

from accounts.models import User

PROJECTS = """
    WITH begun AS (
        INSERT INTO projects_project (id, project_type, name, owner_id, state, updated_at)
        SELECT gen_random_uuid(), 'self_study', 'Project ' || number, %s,
               CASE WHEN number %% 10 = 0 THEN 'draft' ELSE 'active' END, now() - number * interval '1 minute'
        FROM generate_series(1, %s) number
        RETURNING id
    )
    INSERT INTO projects_selfstudyproject (id, project_type, goal_description, study_frequency)
    SELECT id, 'self_study', 'Read ' || md5(id::text), 'weekly' FROM begun
"""


def many_projects(owner: User, number: int = 5_000) -> None:
    """Begin studies, the next one touched a minute before the last; every tenth is a draft."""
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS, [owner.pk, number])
        cursor.execute("ANALYZE projects_project, projects_selfstudyproject, projects_projectwords")
