-- What operators changed, when, and who they were. Only added to; the oldest rows go.
CREATE TABLE operator_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  -- The user id of the process that asked.
  uid INTEGER NOT NULL,
  -- Its name at that time; empty if it had none.
  user TEXT NOT NULL,
  -- Whose session it was, where the machine knows (who became root); empty otherwise.
  login TEXT NOT NULL,
  -- NULL where the machine did not tell.
  process INTEGER,
  -- What was done, in words.
  what TEXT NOT NULL,
  -- What it changed of the site, a line each; empty if nothing.
  changes TEXT NOT NULL
) STRICT;
