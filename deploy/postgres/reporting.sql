-- What the role campushub360_reporting may read: the academic records, and who the people in them are, by columns. Left
-- out is what only some of those who see a record may know, what people said about somebody, and what is hashed or
-- encrypted; and whole tables that forget their rows after some months. Nothing is granted by default, so a table that
-- holds credentials stays closed unless it is named here, and so do new columns until this is run again.
-- Run it as campushub360_migrator or a superuser after every upgrade that brings tables or columns; it may be run any
-- number of times, and takes back what it granted before.
DO $$
DECLARE
    -- One of a kind with the masks and with the declarations about privacy; a test compares them. '*' is every column.
    closed CONSTANT jsonb := '{
        "accounts_person": ["birth_date", "gender", "nationality", "phone"],
        "attendance_attendancerecord": ["client_id"],
        "attendance_calendarfeed": ["*"],
        "attendance_checkinevent": ["*"],
        "attendance_checkinwindow": ["secret"],
        "attendance_classsession": ["lock_note", "note"],
        "attendance_condonation": ["custom_data"],
        "attendance_coveredmark": ["client_id"],
        "attendance_credential": ["*"],
        "attendance_eligibilitydecision": ["note", "reason"],
        "attendance_excuseevent": ["reason"],
        "attendance_excuserequest": ["custom_data", "kind", "statement"],
        "attendance_offlinemark": ["client_id"],
        "attendance_punch": ["*"],
        "attendance_substitution": ["reason"],
        "attendance_substitutionevent": ["reason"],
        "enrollment_enrollmentevent": ["reason"],
        "faculty_faculty": ["custom_data", "employment_type", "fte", "salary"],
        "faculty_facultystatusevent": ["reason"],
        "students_programenrollmentevent": ["reason"],
        "students_student": ["accommodation_note", "custom_data", "home_address"],
        "students_studentstatusevent": ["reason"]
    }';
    readable record;
BEGIN
    REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM campushub360_reporting;
    FOR readable IN
        SELECT pg_class.oid::regclass AS name, string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
          AND (
              relname ~ '^(departments|students|faculty|courses|enrollment|attendance)_'
              OR relname = 'accounts_person'
          )
          AND attnum > 0 AND NOT attisdropped
          AND NOT coalesce(closed -> relname::text ?| ARRAY['*', attname::text], false)
        GROUP BY pg_class.oid
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %s TO campushub360_reporting', readable.columns, readable.name);
    END LOOP;
END
$$;
