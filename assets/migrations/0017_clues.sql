-- Which links may have an id of the platform or a key: by a hash of it, so that an entry takes a third of what it took before. What is
-- found by a clue is held against the link itself, so a clue may outlive its link.
--
-- The ids that a platform gives come in no order. An entry that is filed where it belongs is a random page for every record of a first
-- sync, read and written; so new ones are kept apart, where they are few, and are filed sorted, many at a time
-- (`src/store/links/clues.rs`).
CREATE TABLE clue (
  hash INTEGER NOT NULL,
  link INTEGER NOT NULL,
  PRIMARY KEY (hash, link)
) WITHOUT ROWID;
CREATE TABLE clue_new (
  hash INTEGER NOT NULL,
  link INTEGER NOT NULL,
  PRIMARY KEY (hash, link)
) WITHOUT ROWID;
CREATE VIEW clues AS SELECT hash, link FROM clue UNION ALL SELECT hash, link FROM clue_new;

INSERT INTO clue (hash, link)
  SELECT id_hash(platform_id), link FROM link
  UNION SELECT org_key >> 16, link FROM link WHERE org_key IS NOT NULL
  UNION SELECT platform_key >> 16, link FROM link WHERE platform_key IS NOT NULL
  ORDER BY 1, 2;
DROP INDEX link_platform;
DROP INDEX link_org_key;
DROP INDEX link_platform_key;

CREATE TRIGGER link_made AFTER INSERT ON link BEGIN
  INSERT OR IGNORE INTO clue_new VALUES (id_hash(NEW.platform_id), NEW.link);
  INSERT OR IGNORE INTO clue_new SELECT NEW.org_key >> 16, NEW.link WHERE NEW.org_key IS NOT NULL;
  INSERT OR IGNORE INTO clue_new SELECT NEW.platform_key >> 16, NEW.link
    WHERE NEW.platform_key IS NOT NULL AND NEW.platform_key IS NOT NEW.org_key;
END;

CREATE TRIGGER link_changed AFTER UPDATE OF platform_id, org_key, platform_key ON link
WHEN OLD.platform_id IS NOT NEW.platform_id OR OLD.org_key IS NOT NEW.org_key OR OLD.platform_key IS NOT NEW.platform_key
BEGIN
  DELETE FROM clue WHERE link=OLD.link AND hash IN (id_hash(OLD.platform_id), OLD.org_key >> 16, OLD.platform_key >> 16);
  DELETE FROM clue_new WHERE link=OLD.link AND hash IN (id_hash(OLD.platform_id), OLD.org_key >> 16, OLD.platform_key >> 16);
  INSERT OR IGNORE INTO clue_new VALUES (id_hash(NEW.platform_id), NEW.link);
  INSERT OR IGNORE INTO clue_new SELECT NEW.org_key >> 16, NEW.link WHERE NEW.org_key IS NOT NULL;
  INSERT OR IGNORE INTO clue_new SELECT NEW.platform_key >> 16, NEW.link WHERE NEW.platform_key IS NOT NULL;
END;

-- At most one open link of a family has an id of the platform.
CREATE TRIGGER link_alone BEFORE INSERT ON link
WHEN NEW.closed=0 AND (
  -- One by one, because each link that is made asks for it, and a list of both would be made for each.
  EXISTS (
    SELECT 1 FROM clue_new CROSS JOIN link AS other ON other.link=clue_new.link
    WHERE clue_new.hash=id_hash(NEW.platform_id) AND other.platform_id=NEW.platform_id AND other.family=NEW.family AND other.closed=0
  ) OR EXISTS (
    SELECT 1 FROM clue CROSS JOIN link AS other ON other.link=clue.link
    WHERE clue.hash=id_hash(NEW.platform_id) AND other.platform_id=NEW.platform_id AND other.family=NEW.family AND other.closed=0
  )
) BEGIN
  SELECT RAISE(IGNORE);
END;
CREATE TRIGGER link_stays_alone BEFORE UPDATE OF platform_id, closed ON link
WHEN NEW.closed=0 AND (OLD.closed<>0 OR OLD.platform_id IS NOT NEW.platform_id) AND EXISTS (
  SELECT 1 FROM link AS other WHERE other.link IN (SELECT link FROM clues WHERE hash=id_hash(NEW.platform_id))
    AND other.platform_id=NEW.platform_id AND other.family=NEW.family AND other.closed=0 AND other.link<>NEW.link
) BEGIN
  SELECT RAISE(ABORT, 'a record of the platform would have two open links');
END;
