-- How the audio of each leg of a call was, as its phone or the manager has counted it. Up to now phones alone were asked, and
-- only for what most of them tell.

CREATE TABLE call_quality_of_legs (
  call INTEGER NOT NULL,
  -- Tells the legs of a call apart.
  party INTEGER NOT NULL,
  counted_by TEXT NOT NULL,
  number TEXT NOT NULL,
  -- One of both.
  device TEXT,
  trunk TEXT,
  codec TEXT NOT NULL,
  packets_sent INTEGER NOT NULL,
  octets_sent INTEGER NOT NULL,
  packets_received INTEGER NOT NULL,
  octets_received INTEGER NOT NULL,
  packets_lost INTEGER NOT NULL,
  jitter_ms INTEGER NOT NULL,
  round_trip_ms INTEGER,
  -- Hundredths.
  mos INTEGER,
  packets_lost_there INTEGER,
  jitter_there_ms INTEGER,
  mos_there INTEGER,
  PRIMARY KEY (call, party, counted_by),
  CHECK ((device IS NULL) <> (trunk IS NULL))
) STRICT, WITHOUT ROWID;

-- The codec is that of the call, the number that of the party with this phone, as far as they are known.
INSERT INTO call_quality_of_legs
SELECT call, row_number() OVER (PARTITION BY call ORDER BY device), 'phone',
       CASE device WHEN calling_device THEN calling_number WHEN called_device THEN called_number ELSE '' END,
       device, NULL, coalesce(codec, ''), packets_sent, 0, packets_received, 0, packets_lost, jitter_ms, NULL, NULL, NULL, NULL, NULL
FROM call_quality LEFT JOIN calls ON calls.id = call;
DROP TABLE call_quality;
ALTER TABLE call_quality_of_legs RENAME TO call_quality;
