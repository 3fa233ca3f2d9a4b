-- Linked records that the run at hand has read and found as they last were: they need not be staged, and are not missing.
CREATE TABLE seen (
  link INTEGER NOT NULL,
  side INTEGER NOT NULL,
  object TEXT NOT NULL,
  stamp INTEGER,
  run INTEGER NOT NULL,
  PRIMARY KEY (link, side)
) WITHOUT ROWID;
