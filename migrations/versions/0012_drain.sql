ALTER TABLE installation ADD COLUMN drained_at timestamptz;
ALTER TABLE processes ADD COLUMN closed_until timestamptz;
