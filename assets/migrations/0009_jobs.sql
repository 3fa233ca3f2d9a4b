-- The job of the service that carries a row, so that after an interruption its end can be waited for.
ALTER TABLE journal ADD COLUMN job TEXT;
