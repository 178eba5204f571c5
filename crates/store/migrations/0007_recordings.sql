-- The files that calls were recorded in, in the order in which they began.
CREATE TABLE call_recordings (
  call INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 1),
  name TEXT NOT NULL,
  PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;
