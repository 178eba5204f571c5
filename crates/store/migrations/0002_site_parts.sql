-- The site as one row for each of its entries: nothing asks for a part of one, and what an entry has grows with the
-- features.

CREATE TABLE site_parts (
  -- As the site's file calls it: 'settings', 'lines', 'devices'.
  section TEXT NOT NULL,
  -- Empty where a section is one entry.
  name TEXT NOT NULL,
  -- JSON. A key that is not there has its default.
  body TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (section, name)
) STRICT, WITHOUT ROWID;

INSERT INTO site_parts
SELECT 'settings', '', json_object(
  'name', name,
  'time-zone', time_zone,
  'date-format', date_format,
  'tones', tones,
  'codecs', json((SELECT json_group_array(codecs.name ORDER BY position) FROM codecs)),
  'packet-ms', packet_ms,
  'keepalive-seconds', keepalive_seconds,
  'timers', json_object(
    'first-digit', first_digit_seconds,
    'inter-digit', inter_digit_seconds,
    'no-answer', no_answer_seconds
  ),
  'auto-registration', auto_first || '-' || auto_last,
  'firmware', json((SELECT json_group_object(model, load) FROM firmware))
) FROM settings;

INSERT INTO site_parts SELECT 'lines', number, json_object('name', name, 'label', label) FROM lines;

INSERT INTO site_parts
SELECT 'devices', name, json_object(
  'description', description,
  'model', model,
  'roam', json(iif(roam, 'true', 'false')),
  'buttons', json((
    SELECT json_group_array(json(CASE kind
      WHEN 'empty' THEN '"empty"'
      WHEN 'service' THEN json_object(kind, json_object('url', url, 'label', label))
      ELSE json_object(kind, json_object('number', number, 'label', label))
    END) ORDER BY position)
    FROM buttons WHERE device = devices.name
  ))
) FROM devices;

INSERT INTO site_parts
SELECT 'routes', pattern, json_object(
  'action', json(iif(action = 'block', '"block"', json_object('lines', json((
    SELECT json_group_array(number ORDER BY position) FROM route_lines WHERE route_lines.pattern = routes.pattern
  ))))),
  'emergency', json(iif(emergency, 'true', 'false'))
) FROM routes;

DROP TABLE route_lines;
DROP TABLE routes;
DROP TABLE buttons;
DROP TABLE devices;
DROP TABLE lines;
DROP TABLE firmware;
DROP TABLE codecs;
DROP TABLE settings;
