-- What lines and phones remember, a JSON text each, since nothing asks for a part of it. No row: nothing was changed.

CREATE TABLE line_states (
  number TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;

CREATE TABLE device_states (
  name TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;
