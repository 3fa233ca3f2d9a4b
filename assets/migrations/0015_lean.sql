-- What a new record costs in the history: a random page for the platform's id of each. Whoever looks for one finds it by the org's
-- record, which its link names, or the row of what came after (`src/store/read/history.rs`).
DROP INDEX history_platform;
CREATE INDEX history_platform ON history (platform_id, sequence) WHERE action <> 'created';
