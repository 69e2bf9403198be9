-- Processes of the version before leave it empty: texts that they sent are then never proved absent by their words.
ALTER TABLE attempts ADD COLUMN body_hash bytea;
