-- Records that were left out because of their key (ambiguous, taken, held by another), by a hash of that key. When what stood in
-- their way is gone they are looked at again; without this they would wait until somebody changes them.
CREATE TABLE contested (
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  id TEXT NOT NULL,
  family INTEGER NOT NULL,
  key INTEGER NOT NULL,
  freed INTEGER NOT NULL DEFAULT 0, -- 1: its key was freed, and the next run looks at it
  PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;
CREATE INDEX contested_key ON contested (family, key);
CREATE INDEX contested_freed ON contested (freed) WHERE freed = 1;
CREATE INDEX contested_id ON contested (id);
