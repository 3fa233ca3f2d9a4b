-- A number that tells at a glance whether a side still says what was accepted; none means: look closely.
ALTER TABLE accepted ADD COLUMN print INTEGER;
