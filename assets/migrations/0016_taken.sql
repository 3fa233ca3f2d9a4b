-- Whom a record belonged to right before we wrote to it: an undo leaves what somebody else had touched in between (law E16).
-- NULL where its last author was the sync itself, 0 where it was somebody else; where nobody tells, the record's stamp.
ALTER TABLE history ADD COLUMN met INTEGER;

-- Pending records that the run under way has read. No feed brings them, so that they are pending again where it ends before it has
-- dealt with all that it read (law E7).
CREATE TABLE taken (
  mapping INTEGER NOT NULL,
  side INTEGER NOT NULL,
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  tries INTEGER NOT NULL,
  since INTEGER NOT NULL,
  next_try INTEGER,
  PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;
