-- The state of a workspace. Times are milliseconds since 1970, UTC. `side` is 0 for the org, 1 for the platform.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Kept totals, so that no screen ever counts a long table.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- All mappings onto one platform object.
CREATE TABLE family (family INTEGER PRIMARY KEY, platform_object TEXT NOT NULL UNIQUE);

CREATE TABLE mapping (
  mapping INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  family INTEGER NOT NULL REFERENCES family,
  org_object TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  accepted_at INTEGER,          -- when a person last accepted it (law E5)
  initial_begun_at INTEGER,
  initial_done_at INTEGER,      -- law E11
  forward_since INTEGER         -- "going forward": its cursor starts when it is switched on
);

-- A base belongs to a pair as it was: changed fields or another transform make a new pair.
CREATE TABLE pair (
  pair INTEGER PRIMARY KEY,
  mapping INTEGER NOT NULL REFERENCES mapping,
  identity TEXT NOT NULL,
  UNIQUE (mapping, identity)
);

-- One feed per connection and object (law E4). The cursor moves when all it passed is pending or done; the mark moves with
-- each page.
CREATE TABLE feed (
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  cursor TEXT,
  cursor_at INTEGER,            -- engine clock when the read that gave the cursor began
  reading TEXT,                 -- 'scan' or 'changes' while a read is under way
  mark TEXT,
  next_cursor TEXT,
  next_at INTEGER,
  complete INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (side, object)
) WITHOUT ROWID;

-- The remembered pair of records, and what each side last held, per pair.
CREATE TABLE link (
  link INTEGER PRIMARY KEY,
  mapping INTEGER NOT NULL,
  family INTEGER NOT NULL,
  bundle INTEGER,               -- links created together onto one platform record
  org_id TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0, -- 0 open, 1 deleted on org, 2 deleted on platform, 3 merged into, 4 converted to
  closed_to TEXT,
  org_stamp INTEGER,
  platform_stamp INTEGER,
  org_read INTEGER NOT NULL DEFAULT 0,      -- when this side was last seen equal to its base, on the engine's clock
  platform_read INTEGER NOT NULL DEFAULT 0,
  org_key INTEGER,              -- hash of the key as seen on this side
  platform_key INTEGER,
  base BLOB NOT NULL,
  run INTEGER NOT NULL
);
CREATE UNIQUE INDEX link_org ON link (mapping, org_id);
CREATE INDEX link_platform ON link (family, platform_id);
CREATE UNIQUE INDEX link_open ON link (family, platform_id) WHERE closed = 0;
CREATE INDEX link_org_key ON link (family, org_key);
CREATE INDEX link_platform_key ON link (family, platform_key);

-- A record that must be looked at again; it holds no values (law E7).
CREATE TABLE pending (
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  since INTEGER NOT NULL,
  next_try INTEGER,             -- NULL: not before its source or its mapping changes
  PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;
CREATE INDEX pending_due ON pending (next_try) WHERE next_try IS NOT NULL;

-- A pair that waits for a person; it holds back itself alone and keeps its old bases.
CREATE TABLE parked (
  link INTEGER NOT NULL,
  pair INTEGER NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  run INTEGER NOT NULL,
  org TEXT NOT NULL,
  platform TEXT NOT NULL,
  PRIMARY KEY (link, pair)
) WITHOUT ROWID;

-- What the run at hand has read and not yet dealt with.
CREATE TABLE stage (
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  id TEXT NOT NULL,
  stamp INTEGER,
  author TEXT,
  read_at INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (side, object, id)
) WITHOUT ROWID;

-- Staged tombstones of the run at hand.
CREATE TABLE gone (
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER,
  merged_into TEXT,
  PRIMARY KEY (side, object, id)
) WITHOUT ROWID;

-- Unlinked records of the run at hand, by key.
CREATE TABLE candidate (
  class INTEGER NOT NULL,
  key BLOB NOT NULL,
  side INTEGER NOT NULL,
  mapping INTEGER NOT NULL,     -- precedence of the mapping; 0 for the platform
  id TEXT NOT NULL,
  PRIMARY KEY (class, key, side, mapping, id)
) WITHOUT ROWID;

-- What the run at hand has to decide, in order.
CREATE TABLE work (
  work INTEGER PRIMARY KEY,
  mapping INTEGER NOT NULL,
  link INTEGER,
  org_id TEXT,
  platform_id TEXT,
  held INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX work_once ON work (mapping, COALESCE(org_id, ''), COALESCE(platform_id, ''));

CREATE TABLE run (
  run INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER,
  result TEXT,
  message TEXT,
  counts TEXT NOT NULL DEFAULT '{}',
  mappings TEXT NOT NULL DEFAULT '[]',
  org TEXT,
  settings TEXT                 -- fingerprint of the mappings it ran with
);

-- The plan: the lines of a run that do or refuse something (law E5).
CREATE TABLE line (
  line INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  mapping INTEGER NOT NULL,
  org_id TEXT,
  platform_id TEXT,
  outcome TEXT,
  hash INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX line_run ON line (run, outcome, line);

-- Durable before anything is sent (law E6).
CREATE TABLE journal (
  entry INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  kind TEXT NOT NULL,
  source_id TEXT,
  target_id TEXT,
  mark TEXT,
  key TEXT,
  pairs TEXT NOT NULL           -- what was meant, per pair; removed with the entry
);

-- One compact row per record and action (law E16).
CREATE TABLE history (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  run INTEGER NOT NULL,
  mapping INTEGER NOT NULL,
  org_id TEXT,
  platform_id TEXT,
  side INTEGER NOT NULL,
  action TEXT NOT NULL,
  changes TEXT NOT NULL
);
CREATE INDEX history_org ON history (org_id, sequence);
CREATE INDEX history_platform ON history (platform_id, sequence);
CREATE INDEX history_run ON history (run, sequence);

-- Braked kinds over a rolling day (law E10).
CREATE TABLE braked (
  at INTEGER NOT NULL,
  mapping INTEGER NOT NULL,
  kind TEXT NOT NULL,
  count INTEGER NOT NULL
);
CREATE INDEX braked_at ON braked (at);

-- A failed line, kept until resolved (law E7).
CREATE TABLE issue (
  issue INTEGER PRIMARY KEY,
  mapping INTEGER NOT NULL,
  org_id TEXT NOT NULL DEFAULT '',
  platform_id TEXT NOT NULL DEFAULT '',
  side INTEGER NOT NULL,
  label TEXT NOT NULL,
  code TEXT NOT NULL,
  cause TEXT NOT NULL,
  message TEXT NOT NULL,
  fields TEXT NOT NULL DEFAULT '[]',
  run INTEGER NOT NULL,
  since INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 1,
  open INTEGER NOT NULL DEFAULT 1,
  UNIQUE (mapping, org_id, platform_id, code)
);
CREATE INDEX issue_open ON issue (open, code, mapping, cause);
CREATE INDEX issue_platform ON issue (platform_id) WHERE open = 1;

-- Facts: the log. The sequence rises without end (law E14).
CREATE TABLE fact (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  level INTEGER NOT NULL,
  run INTEGER,
  mapping TEXT,
  org_id TEXT,
  platform_id TEXT,
  message TEXT NOT NULL,
  detail TEXT
);
CREATE INDEX fact_run ON fact (run, sequence);
CREATE INDEX fact_level ON fact (sequence) WHERE level >= 2;
