"""Find projects by words that were there before words were kept."""

from django.db import migrations, transaction

BATCH = 500
SEARCHED = {
    "projects_schoolproject": "course_name, teacher_name",
    "projects_selfstudyproject": "goal_description",
    "projects_finalyearproject": "topic_local, topic_en",
}
# Whoever writes something of a project locks it: what is read of it is what there is until the batch is kept.
NEXT = """
    SELECT id FROM projects_project WHERE id > COALESCE(%s, '00000000-0000-0000-0000-000000000000'::uuid)
    ORDER BY id LIMIT %s FOR NO KEY UPDATE
"""
NAMES = """
    INSERT INTO projects_projectwords (project_id, of_name)
    SELECT id, projects_lexemes(name, 'A') FROM projects_project WHERE id = ANY(%s) ON CONFLICT DO NOTHING
"""
DETAILS = """
    UPDATE projects_projectwords SET of_details = projects_lexemes(concat_ws(' ', {columns}), 'B')
    FROM {table} added WHERE project_id = added.id AND project_id = ANY(%s)
"""
NOTES = "SELECT projects_write_notes(%s)"


def read_all(apps, schema_editor):
    """Read project by project in small transactions; an attempt that was broken off does no harm to the next."""
    database = schema_editor.connection.alias
    last = None
    while True:
        with transaction.atomic(using=database), schema_editor.connection.cursor() as cursor:
            cursor.execute(NEXT, [last, BATCH])
            ids = [pk for (pk,) in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(NAMES, [ids])
            for table, columns in SEARCHED.items():
                cursor.execute(DETAILS.format(table=table, columns=columns), [ids])
            cursor.execute(NOTES, [ids])
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("projects", "0011_find_by_words"),
    ]

    operations = [migrations.RunPython(read_all, migrations.RunPython.noop, elidable=True)]
