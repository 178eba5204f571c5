-- What lines and phones remember, a JSON text each, since nothing asks for a part of it. No row: nothing was changed.

CREATE TABLE line_states (
  number TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;

CREATE TABLE device_states (
  name TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;

-- What bills need

ALTER TABLE calls ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN trunk TEXT NOT NULL DEFAULT '';

-- How a call came to the parties that it had at the end.
CREATE TABLE call_redirections (
  call INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 1),
  kind TEXT NOT NULL,
  by_number TEXT NOT NULL,
  by_name TEXT NOT NULL,
  by_device TEXT,
  to_number TEXT NOT NULL,
  to_name TEXT NOT NULL,
  to_device TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_redirections_by_by_number ON call_redirections (by_number);
CREATE INDEX call_redirections_by_to_number ON call_redirections (to_number);

-- The highest id of a call that was removed for its age: no call gets one again.
CREATE TABLE calls_removed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  highest INTEGER NOT NULL
) STRICT;
INSERT INTO calls_removed VALUES (1, 0);
