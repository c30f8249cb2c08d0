-- What the role campushub360_reporting may read: the academic records, and who the people in them are. Nothing is
-- granted by default, so a table that holds credentials or other secrets stays closed unless it is named here.
-- Run it as campushub360_migrator or a superuser after every upgrade that brings tables; it may be run any number of
-- times.
DO $$
DECLARE readable regclass;
BEGIN
    FOR readable IN
        SELECT oid::regclass
        FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
          AND (
              relname ~ '^(departments|students|faculty|courses|enrollment|attendance)_'
              OR relname = 'accounts_person'
          )
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO campushub360_reporting', readable);
    END LOOP;
END
$$;
