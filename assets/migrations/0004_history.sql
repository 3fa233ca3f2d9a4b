-- History by mapping, with the kind of call; why a record was left out; what an undo left as it was.

ALTER TABLE history ADD COLUMN call TEXT;       -- 'create', 'upsert', 'update' or 'delete'; NULL where nothing was sent
CREATE INDEX history_mapping ON history (mapping, sequence);

-- What was skipped is asked for by record; what was written is in the history, what failed among the issues.
CREATE INDEX line_left_org ON line (org_id, line) WHERE outcome = 'skipped';
CREATE INDEX line_left_platform ON line (platform_id, line) WHERE outcome = 'skipped';

-- What an undo left as it is, and why (law E16); it holds no values.
CREATE TABLE undo_left (
  number INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,         -- the run that undid
  mapping TEXT NOT NULL,
  org_id TEXT,
  platform_id TEXT,
  side INTEGER NOT NULL,
  fields TEXT NOT NULL,
  why TEXT NOT NULL
);
CREATE INDEX undo_left_run ON undo_left (run, number);
