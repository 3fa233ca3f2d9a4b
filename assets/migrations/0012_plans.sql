-- Saved plans: what a run would do, line by line, and what became of each line when the plan was applied (law E5).
CREATE TABLE plan (
    plan INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    made INTEGER NOT NULL,
    head TEXT NOT NULL,
    applied INTEGER
);

CREATE TABLE plan_line (
    plan INTEGER NOT NULL,
    line INTEGER NOT NULL,
    mapping TEXT NOT NULL,
    -- Empty where the record does not exist yet.
    org_id TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    -- One bit a deed, and one bit a side that is written.
    deeds INTEGER NOT NULL,
    sides INTEGER NOT NULL,
    linked INTEGER NOT NULL,
    label TEXT NOT NULL,
    -- Hashes of what the line was decided from.
    org_seen INTEGER,
    platform_seen INTEGER,
    base_seen INTEGER NOT NULL,
    body TEXT NOT NULL,
    outcome TEXT,
    why TEXT,
    PRIMARY KEY (plan, line)
) WITHOUT ROWID;

CREATE INDEX plan_line_record ON plan_line (plan, mapping, org_id, platform_id);
