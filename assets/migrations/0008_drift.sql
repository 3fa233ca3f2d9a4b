-- What a side said of a mapping's object when it was accepted (law E13), as JSON.
CREATE TABLE accepted (
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  body TEXT NOT NULL,
  seen TEXT,                    -- what it says now, where that is something else
  at INTEGER NOT NULL,
  PRIMARY KEY (mapping, side)
) WITHOUT ROWID;

-- What differs from that now. `pair` is the text by which the state database knows the pair, empty where it is about the whole
-- mapping; `effect` is 'stops', 'parks', 'warns' or 'tells'.
CREATE TABLE drift (
  drift INTEGER PRIMARY KEY AUTOINCREMENT,
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  field TEXT NOT NULL,
  pair TEXT NOT NULL,
  name TEXT NOT NULL,           -- the pair's name for people
  kind TEXT NOT NULL,
  effect TEXT NOT NULL,
  acceptable INTEGER NOT NULL,  -- whether it ends when a person accepts it
  message TEXT NOT NULL,
  since INTEGER NOT NULL,
  run INTEGER NOT NULL,
  UNIQUE (mapping, side, object, field, pair, kind)
);

-- Pairs and mappings that runs leave out, and how far each feed had been read when that began: there it is read from again once
-- they take part again, so that nothing that was edited meanwhile is missed.
CREATE TABLE left_out (
  mapping INTEGER NOT NULL,
  pair TEXT NOT NULL,           -- empty for the whole mapping
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  cursor TEXT,
  cursor_at INTEGER,
  why TEXT NOT NULL,            -- 'drift', 'settings' or 'unaccepted'
  since INTEGER NOT NULL,
  PRIMARY KEY (mapping, pair, side)
) WITHOUT ROWID;

-- How each mapping was written when a person last accepted it (law E5).
INSERT INTO meta (name, value) SELECT 'accepted:' || name, fingerprint FROM mapping WHERE accepted_at IS NOT NULL;
