-- What a platform's client remembers of its records from one run to the next, because the service can't be asked for it again.
CREATE TABLE note (
    object  TEXT NOT NULL,
    id      TEXT NOT NULL,
    body    TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (object, id)
) WITHOUT ROWID;
