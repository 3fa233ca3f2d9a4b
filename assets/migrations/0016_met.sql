-- Whom a record belonged to right before we wrote to it: an undo leaves what somebody else had touched in between (law E16).
-- NULL where its last author was the sync itself, 0 where it was somebody else; where nobody tells, the record's stamp.
ALTER TABLE history ADD COLUMN met INTEGER;
