-- Linked records of which one side is gone, until the consequence for the other side is settled (law E9). Without it a delete
-- would be forgotten once its feed has moved on.
CREATE TABLE departure (
  link INTEGER PRIMARY KEY,
  side INTEGER NOT NULL,        -- the side that lost its record
  at INTEGER,                   -- when, where that side tells
  since INTEGER NOT NULL,       -- when it was noticed, or decided by a person
  merged_into TEXT,             -- the org's record that it was merged into
  state TEXT NOT NULL           -- 'due', 'parked', 'decided' by a person, 'done': the other record was deleted by us
);

-- Records that live on as others (converted leads), until their links have followed.
CREATE TABLE moved (
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  id TEXT NOT NULL,
  targets TEXT NOT NULL,        -- objects and ids, the likeliest first
  since INTEGER NOT NULL,
  PRIMARY KEY (side, object, id)
) WITHOUT ROWID;

-- Records that were read because their sync flag was set, until it is taken back (law E15).
CREATE TABLE flagged (
  object TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (object, id)
) WITHOUT ROWID;
