-- The inboxes of conflicts and issues.

-- A parked pair gets a number by which people name it; the number is never given twice. `label` is the name by which a person
-- knows the record, `note` what became of the last decision where nothing came of it.
CREATE TABLE parked_numbered (
  conflict INTEGER PRIMARY KEY AUTOINCREMENT,
  link INTEGER NOT NULL,
  pair INTEGER NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  run INTEGER NOT NULL,
  org TEXT NOT NULL,
  platform TEXT NOT NULL,
  label TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  UNIQUE (link, pair)
);
INSERT INTO parked_numbered (link, pair, why, since, run, org, platform)
  SELECT link, pair, why, since, run, org, platform FROM parked ORDER BY since, link, pair;
DROP TABLE parked;
ALTER TABLE parked_numbered RENAME TO parked;

-- What a person decided about one pair of one record: used once, by the next run. `why` is why the pair was parked, empty where
-- a value of a failed record was edited. `org` and `platform` are what the person saw; NULL where that side was not looked at.
CREATE TABLE decision (
  decision INTEGER PRIMARY KEY AUTOINCREMENT,
  mapping INTEGER NOT NULL,
  org_id TEXT NOT NULL DEFAULT '',
  platform_id TEXT NOT NULL DEFAULT '',
  pair INTEGER NOT NULL,
  why TEXT NOT NULL,
  org TEXT,
  platform TEXT,
  choice TEXT NOT NULL,
  author TEXT NOT NULL,
  at INTEGER NOT NULL,
  UNIQUE (mapping, org_id, platform_id, pair)
);
CREATE INDEX decision_platform ON decision (mapping, platform_id);

-- Hidden until then, or until its message changes.
ALTER TABLE issue ADD COLUMN snoozed_until INTEGER;
CREATE INDEX issue_snoozed ON issue (snoozed_until) WHERE snoozed_until IS NOT NULL AND open = 1;
