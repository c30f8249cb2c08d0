"""Who calls is asked along with every other record of the same person, about which they decide no more than about one."""

from importlib import import_module

from django.db import migrations

former = import_module("accounts.migrations.0019_say_how_long_an_identity_lasts")

SAME = """
-- Everybody who is recorded as the same person: whom somebody was merged into, who was merged into them, and so on.
CREATE FUNCTION accounts_same_person(one uuid) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 3 AS $$
    WITH RECURSIVE same (id, survivor) AS (
        SELECT id, merged_into_id FROM accounts_person WHERE id = one
        UNION
        SELECT other.id, other.merged_into_id
        FROM same JOIN accounts_person AS other ON other.id = same.survivor OR other.merged_into_id = same.id
    )
    SELECT id FROM same
$$;
"""
# The same question, with one more answer: null of whoever is recorded once, as nearly everybody is.
CREATE = former.CREATE.replace(
    "held jsonb, seconds double precision)", "held jsonb, seconds double precision, records uuid[])"
).replace(
    """        )::double precision
    FROM""",
    """        )::double precision,
        CASE
            WHEN EXISTS (
                SELECT FROM accounts_person
                WHERE id = account_row.person_id AND merged_into_id IS NOT NULL OR merged_into_id = account_row.person_id
            ) THEN ARRAY(SELECT accounts_same_person(account_row.person_id))
        END
    FROM""",
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0022_order_people_by_shown_name")]

    operations = [
        migrations.RunSQL(SAME, "DROP FUNCTION accounts_same_person(uuid)"),
        migrations.RunSQL(former.former.DROP + CREATE, former.former.DROP + former.CREATE),
    ]
