-- What the last completeness audits found, and the holes of the latest one.
CREATE TABLE audit (run INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);

CREATE TABLE hole (
  hole INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,         -- the side on which it shows
  org_id TEXT,
  platform_id TEXT,
  kind TEXT NOT NULL,
  why TEXT NOT NULL
);
