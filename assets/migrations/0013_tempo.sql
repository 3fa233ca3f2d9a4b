-- What a link costs to write: each of these is another random page for every record of a first sync.

-- One index for the ids of the platform, open and closed; at most one open link has an id.
DROP INDEX link_open;
DROP INDEX link_platform;
CREATE UNIQUE INDEX link_platform ON link (family, platform_id, CASE closed WHEN 0 THEN 0 ELSE link END);

-- Nearly always both sides hold the same key; only the others are in the second index.
DROP INDEX link_platform_key;
CREATE INDEX link_platform_key ON link (family, platform_key) WHERE platform_key IS NOT org_key;

-- These live as long as the process now (`src/store/scratch.rs`).
DROP TABLE candidate;
DROP TABLE work;
