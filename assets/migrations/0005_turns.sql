-- Pairs that were written to one side and then the other (law E8). A row is made by a change of a linked record, never by a
-- create, and is forgotten after a day without a further turn.
CREATE TABLE turn (
  link INTEGER NOT NULL,
  pair INTEGER NOT NULL,
  side INTEGER NOT NULL,         -- the side written last
  turns INTEGER NOT NULL,        -- how often it was the other side's turn since `since`
  since INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (link, pair)
) WITHOUT ROWID;
CREATE INDEX turn_last ON turn (last);
