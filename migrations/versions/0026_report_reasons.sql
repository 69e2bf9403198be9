-- Why somebody reports something, in their words. Processes of the version before write none.
ALTER TABLE reports ADD COLUMN reason text;
