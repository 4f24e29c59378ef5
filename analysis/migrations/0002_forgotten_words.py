"""What was read in a comment goes with it, in the transaction that empties it.

A trigger, as surveys does not know that anybody reads its comments.
"""

from django.db import migrations

FOLLOW = """
CREATE FUNCTION analysis_forget_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_mention WHERE response_id = NEW.id;
    DELETE FROM analysis_reading WHERE response_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER reading_goes_with_its_comment AFTER UPDATE OF comment ON surveys_response
    FOR EACH ROW WHEN (OLD.comment <> '' AND NEW.comment = '')
    EXECUTE FUNCTION analysis_forget_reading()
"""
KEEP = """
DROP TRIGGER reading_goes_with_its_comment ON surveys_response;
DROP FUNCTION analysis_forget_reading()
"""


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_themes"), ("surveys", "0017_erasures")]

    operations = [migrations.RunSQL(FOLLOW, KEEP)]
