-- What was looked at and noted for each link that is made, one statement does for itself now (`src/store/links/make.rs`): a statement that
-- sets off others keeps a copy of every page it touches, so that it can be taken back.
DROP TRIGGER link_made;
DROP TRIGGER link_alone;
