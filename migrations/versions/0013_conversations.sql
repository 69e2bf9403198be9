ALTER TABLE conversations ADD COLUMN liked bigint[] NOT NULL DEFAULT '{}';
