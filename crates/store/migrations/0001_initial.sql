-- The first form of the database. Never edit a migration that has been released: add the next one.
--
-- Times are microseconds since 1970-01-01 UTC. Texts that are empty when nothing is known are NOT NULL; NULL
-- is kept for what has no value at all.

-- "SELS" in ASCII: what `file` shows, and how `restore` knows one of ours.
PRAGMA application_id = 1397050451;

-- The site

-- Counts the changes of the site; who saves says which version the change was made from.
CREATE TABLE site (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO site VALUES (1, 0);

-- No row as long as nobody saved any: then the defaults hold.
CREATE TABLE settings (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL,
  time_zone TEXT,
  date_format TEXT NOT NULL,
  tones TEXT NOT NULL,
  packet_ms INTEGER NOT NULL,
  keepalive_seconds INTEGER NOT NULL,
  first_digit_seconds INTEGER NOT NULL,
  inter_digit_seconds INTEGER NOT NULL,
  no_answer_seconds INTEGER NOT NULL,
  auto_first TEXT,
  auto_last TEXT,
  CHECK ((auto_first IS NULL) = (auto_last IS NULL))
) STRICT;

CREATE TABLE codecs (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE firmware (
  model TEXT PRIMARY KEY,
  load TEXT NOT NULL
) STRICT;

CREATE TABLE lines (
  number TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  label TEXT NOT NULL
) STRICT;

CREATE TABLE devices (
  name TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  model TEXT,
  roam INTEGER NOT NULL CHECK (roam IN (0, 1))
) STRICT;

CREATE TABLE buttons (
  device TEXT NOT NULL REFERENCES devices (name) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 1),
  kind TEXT NOT NULL CHECK (kind IN ('line', 'speed-dial', 'service', 'empty')),
  -- The line's or the speed dial's number.
  number TEXT CHECK ((number IS NOT NULL) = (kind IN ('line', 'speed-dial'))),
  -- The service's address.
  url TEXT CHECK ((url IS NOT NULL) = (kind = 'service')),
  label TEXT NOT NULL,
  PRIMARY KEY (device, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE routes (
  pattern TEXT PRIMARY KEY,
  action TEXT NOT NULL CHECK (action IN ('lines', 'block')),
  emergency INTEGER NOT NULL CHECK (emergency IN (0, 1))
) STRICT;

CREATE TABLE route_lines (
  pattern TEXT NOT NULL REFERENCES routes (pattern) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 1),
  number TEXT NOT NULL,
  PRIMARY KEY (pattern, position)
) STRICT, WITHOUT ROWID;

-- Phones that nobody configured and what they said they are; their devices and lines are in the site.
CREATE TABLE auto_registered (
  device TEXT PRIMARY KEY,
  device_type INTEGER NOT NULL,
  number TEXT NOT NULL
) STRICT;

-- Calls

CREATE TABLE calls (
  id INTEGER PRIMARY KEY,
  calling_number TEXT NOT NULL,
  calling_name TEXT NOT NULL,
  calling_device TEXT,
  dialed TEXT NOT NULL,
  called_number TEXT NOT NULL,
  called_name TEXT NOT NULL,
  called_device TEXT,
  started INTEGER NOT NULL,
  ringing INTEGER,
  answered INTEGER,
  ended INTEGER NOT NULL,
  cause TEXT NOT NULL,
  codec TEXT NOT NULL
) STRICT;
CREATE INDEX calls_by_calling_number ON calls (calling_number);
CREATE INDEX calls_by_called_number ON calls (called_number);
CREATE INDEX calls_by_dialed ON calls (dialed);
CREATE INDEX calls_by_calling_device ON calls (calling_device);
CREATE INDEX calls_by_called_device ON calls (called_device);
CREATE INDEX calls_by_end ON calls (ended);

-- What is left here when the manager starts was interrupted by a crash.
CREATE TABLE calls_in_progress (
  id INTEGER PRIMARY KEY,
  calling_number TEXT NOT NULL,
  calling_name TEXT NOT NULL,
  calling_device TEXT,
  dialed TEXT NOT NULL,
  started INTEGER NOT NULL,
  -- When the manager was last known to run while the call was up.
  alive INTEGER NOT NULL
) STRICT;

CREATE TABLE call_quality (
  call INTEGER NOT NULL,
  device TEXT NOT NULL,
  packets_sent INTEGER NOT NULL,
  packets_received INTEGER NOT NULL,
  packets_lost INTEGER NOT NULL,
  jitter_ms INTEGER NOT NULL,
  PRIMARY KEY (call, device)
) STRICT, WITHOUT ROWID;

-- Devices

CREATE TABLE device_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- As the phone said it: it may be unknown to the site.
  device TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('registered', 'unregistered', 'rejected', 'alarm')),
  address TEXT,
  device_type INTEGER,
  version INTEGER,
  load TEXT,
  -- A reason, or the text of an alarm.
  text TEXT,
  severity INTEGER,
  parameter1 INTEGER,
  parameter2 INTEGER
) STRICT;
CREATE INDEX device_events_by_device ON device_events (device, id);
