-- What was dialled is mostly the number of who was called, and found by that: another index of it would be one more page
-- to write for each call.
DROP INDEX calls_by_dialed;
CREATE INDEX calls_by_other_dialed ON calls (dialed) WHERE dialed <> called_number;
