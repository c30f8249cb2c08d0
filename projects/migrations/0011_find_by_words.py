"""Keep by which words projects are found, the more telling ones first."""

import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

import core.db.indexes
import projects.models.words
from projects.operations import SearchDetails

# As `core.search.Words` sees a text. What is noted may be longer than what is looked at.
WORDS = r"""
CREATE FUNCTION projects_lexemes(said text, weight "char") RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('simple', left(regexp_replace(
        public.core_fold(normalize(left(coalesce(said, ''), 100000), NFKC)), '[!-/:-@[-`{-~]', ' ', 'g'
    ), 100000)), weight)
$$;

CREATE FUNCTION projects_words_of_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO projects_projectwords (project_id, of_name) VALUES (NEW.id, projects_lexemes(NEW.name, 'A'))
    ON CONFLICT (project_id) DO UPDATE SET of_name = EXCLUDED.of_name;
    RETURN NULL;
END $$;

-- The columns are the arguments of the trigger.
CREATE FUNCTION projects_words_of_details() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    SELECT string_agg(to_jsonb(NEW) ->> name, ' ' ORDER BY place) INTO said
    FROM unnest(TG_ARGV) WITH ORDINALITY AS searched (name, place);
    INSERT INTO projects_projectwords (project_id, of_details) VALUES (NEW.id, projects_lexemes(said, 'B'))
    ON CONFLICT (project_id) DO UPDATE SET of_details = EXCLUDED.of_details;
    RETURN NULL;
END $$;

-- Of the names and values of any depth. A project that is being deleted has no words any more.
CREATE FUNCTION projects_write_notes(written uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE projects_projectwords found SET of_notes = projects_lexemes((
        SELECT string_agg(key || ' ' || regexp_replace(value::text, '\\(u[0-9a-f]{4}|.)', ' ', 'g'), ' ' ORDER BY key)
        FROM projects_projectmeta WHERE project_id = found.project_id
    ), 'C') WHERE project_id = ANY (written);
END $$;

CREATE FUNCTION projects_words_of_notes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM projects_write_notes(ARRAY (SELECT DISTINCT project_id FROM after_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM projects_write_notes(ARRAY (SELECT DISTINCT project_id FROM before_rows));
    ELSE
        PERFORM projects_write_notes(ARRAY (SELECT project_id FROM after_rows UNION SELECT project_id FROM before_rows));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_project_words AFTER INSERT OR UPDATE OF name ON projects_project
FOR EACH ROW EXECUTE FUNCTION projects_words_of_project();

CREATE TRIGGER projects_projectmeta_words_of_new AFTER INSERT ON projects_projectmeta
REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION projects_words_of_notes();
CREATE TRIGGER projects_projectmeta_words_of_changed AFTER UPDATE ON projects_projectmeta
REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION projects_words_of_notes();
CREATE TRIGGER projects_projectmeta_words_of_old AFTER DELETE ON projects_projectmeta
REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION projects_words_of_notes();
"""
NO_WORDS = """
DROP TRIGGER projects_projectmeta_words_of_old ON projects_projectmeta;
DROP TRIGGER projects_projectmeta_words_of_changed ON projects_projectmeta;
DROP TRIGGER projects_projectmeta_words_of_new ON projects_projectmeta;
DROP TRIGGER projects_project_words ON projects_project;
DROP FUNCTION projects_words_of_notes();
DROP FUNCTION projects_write_notes(uuid[]);
DROP FUNCTION projects_words_of_details();
DROP FUNCTION projects_words_of_project();
DROP FUNCTION projects_lexemes(text, "char");
"""


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0010_index_drafts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProjectWords",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="words",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                (
                    "of_name",
                    django.contrib.postgres.search.SearchVectorField(db_default="", default="", editable=False),
                ),
                (
                    "of_details",
                    django.contrib.postgres.search.SearchVectorField(db_default="", default="", editable=False),
                ),
                (
                    "of_notes",
                    django.contrib.postgres.search.SearchVectorField(db_default="", default="", editable=False),
                ),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=projects.models.words.Joined(
                            models.F("of_name"), models.F("of_details"), models.F("of_notes")
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
            ],
            options={
                "verbose_name": "words of a project",
                "verbose_name_plural": "words of projects",
                "indexes": [core.db.indexes.NamedGinIndex(fields=["words"], name="projects_words")],
            },
        ),
        migrations.RunSQL(WORDS, NO_WORDS),
        SearchDetails("projects_schoolproject", ["course_name", "teacher_name"]),
        SearchDetails("projects_selfstudyproject", ["goal_description"]),
        SearchDetails("projects_finalyearproject", ["topic_local", "topic_en"]),
    ]
