//! A table of phones: one row each. Columns go by their names in the first row, in any order; docs/import.md lists them.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use super::{Import, line_path};
use crate::{Button, Device, DeviceName, LineNumber, Model, Name, SideCar, key::KeyPath};

/// A table to fill in: the usual columns and two phones as examples.
pub const CSV_TEMPLATE: &str = "\
device,model,description,line1,name1,label1,line2,name2,dial1,dial-label1,lamp1,lamp-label1,pool,pickup-group\r
00:1B:D5:12:34:56,7960,Reception,1001,Reception,,1000,Switchboard,0,Outside,1002,Workshop,,front\r
001b.d512.3457,7941,Workshop,1002,Workshop,,,,,,1001,Reception,,front\r
";

/// Greatest number behind a column's name: the buttons of any phone.
const MOST: usize = crate::MAX_BUTTONS;

/// A column of which there is one, or one for each button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Device,
    Model,
    Description,
    SideCars,
    Pool,
    PickupGroup,
    Rights,
    SoftKeys,
    Language,
    TimeZone,
    IdleText,
    Line,
    Name,
    Label,
    Calls,
    Mailbox,
    Dial,
    DialLabel,
    Lamp,
    LampLabel,
}

/// The names of the columns, without '-', '_' and spaces; the first of a column is the one that is shown.
const COLUMNS: &[(&str, Column)] = &[
    ("device", Column::Device),
    ("mac", Column::Device),
    ("macaddress", Column::Device),
    ("model", Column::Model),
    ("description", Column::Description),
    ("sidecars", Column::SideCars),
    ("pool", Column::Pool),
    ("pickupgroup", Column::PickupGroup),
    ("rights", Column::Rights),
    ("softkeys", Column::SoftKeys),
    ("language", Column::Language),
    ("timezone", Column::TimeZone),
    ("idletext", Column::IdleText),
    ("line", Column::Line),
    ("number", Column::Line),
    ("name", Column::Name),
    ("label", Column::Label),
    ("calls", Column::Calls),
    ("mailbox", Column::Mailbox),
    ("dial", Column::Dial),
    ("speeddial", Column::Dial),
    ("diallabel", Column::DialLabel),
    ("speeddiallabel", Column::DialLabel),
    ("lamp", Column::Lamp),
    ("busylamp", Column::Lamp),
    ("lamplabel", Column::LampLabel),
    ("busylamplabel", Column::LampLabel),
];

impl Column {
    /// Is there one for each button?
    fn is_numbered(self) -> bool {
        self >= Self::Line
    }
}

/// A column and, where it has one, its number from 1.
type Key = (Column, usize);

/// What a row says in one column.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    place: Range<usize>,
}

/// A row by its columns, without empty cells.
type Row = BTreeMap<Key, Cell>;

/// Reads the whole table.
pub(super) fn read(import: &mut Import<'_>) {
    let text = import.text;
    let delimiter = delimiter(text);
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter as u8)
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records().map_while(Result::ok).map(|record| {
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
        let places = places(text, start, delimiter);
        let cells = record.iter().zip(places);
        cells.map(|(text, place)| Cell { text: text.into(), place }).collect::<Vec<_>>()
    });
    let Some(header) = records.next() else {
        return import.fault(
            "device",
            0..0,
            "the table is empty; `selsius site import --template` prints one",
        );
    };
    let columns = columns(import, &header);
    if !columns.iter().flatten().any(|&(column, _)| column == Column::Device) {
        let place = header.first().map_or(0..0, |cell| cell.place.clone());
        return import.fault(
            "device",
            place,
            "no column has this name; it holds the MAC address of each phone",
        );
    }
    let mut seen = Seen::default();
    for cells in records {
        let filled = cells.into_iter().enumerate().filter(|(_, cell)| !cell.text.is_empty());
        let mut row = Row::new();
        for (at, cell) in filled {
            match columns.get(at) {
                Some(Some(key)) => drop(row.insert(*key, cell)),
                // A fault already.
                Some(None) => {}
                None => import.fault(
                    &format!("column {}", at + 1),
                    cell.place,
                    "the first row has no name for it",
                ),
            }
        }
        if !row.is_empty() {
            phone(import, &row, &mut seen);
        }
    }
}

/// The separator that the first row has most of: spreadsheets write ';' where ',' is the decimal sign.
fn delimiter(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: char| first.matches(delimiter).count();
    [',', '\t', ';'].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(',')
}

/// Where the cells of the record are that begins here, as the text has them.
fn places(text: &str, start: usize, delimiter: char) -> Vec<Range<usize>> {
    let rest = text.get(start..).unwrap_or_default();
    // A record begins behind the end of the one before, and after blank lines.
    let begin = start + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    let mut places = Vec::new();
    let (mut cell, mut quoted) = (begin, false);
    let bytes = text.get(begin..).unwrap_or_default();
    for (at, c) in bytes.char_indices().map(|(at, c)| (begin + at, c)) {
        match c {
            // Two quotes in a quoted cell are one: they end it and begin it again.
            '"' if quoted || text.get(cell..at).is_some_and(|before| before.trim().is_empty()) => {
                quoted = !quoted
            }
            '"' if text.get(..at).is_some_and(|before| before.ends_with('"')) => quoted = true,
            '\r' | '\n' if !quoted => {
                places.push(cell..at);
                return places;
            }
            c if c == delimiter && !quoted => {
                places.push(cell..at);
                cell = at + c.len_utf8();
            }
            _ => {}
        }
    }
    places.push(cell..text.len());
    places
}

/// The columns that the first row names.
fn columns(import: &mut Import<'_>, header: &[Cell]) -> Vec<Option<Key>> {
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for cell in header {
        let key = column(&cell.text);
        match key {
            Some(key) if !seen.insert(key) => {
                import.fault(&cell.text, cell.place.clone(), "this column is there twice");
            }
            Some(_) => {}
            // Spreadsheets leave empty columns at the end; cells below them are faults.
            None if cell.text.is_empty() => {}
            None => {
                let known: Vec<_> = COLUMNS.iter().map(|&(name, _)| name).collect();
                import.unknown(&cell.text, cell.place.clone(), &plain(&cell.text), &known, "unknown column");
            }
        }
        columns.push(key);
    }
    while columns.last() == Some(&None)
        && header.get(columns.len() - 1).is_some_and(|cell| cell.text.is_empty())
    {
        columns.pop();
    }
    columns
}

/// A column's name without what people write differently.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect()
}

fn column(name: &str) -> Option<Key> {
    let name = plain(name);
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let &(_, column) = COLUMNS.iter().find(|(known, _)| *known == word)?;
    match (column.is_numbered(), &name[word.len()..]) {
        (true, "") => Some((column, 1)),
        (true, number) => {
            number.parse().ok().filter(|number| (1..=MOST).contains(number)).map(|number| (column, number))
        }
        (false, "") => Some((column, 0)),
        (false, _) => None,
    }
}

/// What rows before have said.
#[derive(Default)]
struct Seen {
    /// Phones, and where.
    devices: BTreeMap<DeviceName, Range<usize>>,
    /// Names of lines, and where.
    names: BTreeMap<LineNumber, Cell>,
}

fn phone(import: &mut Import<'_>, row: &Row, seen: &mut Seen) {
    let Some(cell) = row.get(&(Column::Device, 0)) else {
        let place = row.values().next().map_or(0..0, |cell| cell.place.clone());
        return import.fault("device", place, "this row has no device; expected the phone's MAC address");
    };
    let Some(name) = device_name(import, cell) else { return };
    if let Some(before) = seen.devices.insert(name.clone(), cell.place.clone()) {
        let line = import.line(before.start);
        return import.fault("device", cell.place.clone(), format!("{name} is at line {line} already"));
    }
    let at = KeyPath::new(&["devices", name.as_str()]);
    import.place(at.clone(), &cell.place);
    let mut device = import.site.devices.get(&name).cloned().unwrap_or_default();
    settings(import, row, &at, &mut device);
    let lines = lines(import, row, seen);
    let buttons = buttons(import, row, &at, &lines);
    if !buttons.is_empty() {
        device.buttons = buttons;
    }
    import.site.devices.insert(name, device);
}

/// `SEP` and the digits for a MAC address in any notation; else the text itself, for phones that have a name.
fn device_name(import: &mut Import<'_>, Cell { text, place }: &Cell) -> Option<DeviceName> {
    /// So many digits that it must have meant a MAC address.
    const MEANT: usize = 8;
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("SEP").unwrap_or(&upper);
    let digits: String = bare.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
    let is_mac = digits.chars().all(|c| c.is_ascii_hexdigit());
    match digits.len() {
        12 if is_mac => import.parse("device", &format!("SEP{digits}"), place),
        length @ MEANT.. if is_mac => {
            let message = format!("a MAC address has 12 hexadecimal digits, not {length}");
            import.fault("device", place.clone(), message);
            None
        }
        _ => import.parse("device", text, place),
    }
}

/// What belongs to the phone itself.
fn settings(import: &mut Import<'_>, row: &Row, at: &KeyPath, device: &mut Device) {
    for (&(column, _), Cell { text, place }) in row.range(..(Column::Line, 0)) {
        let key = match column {
            Column::Model => "model",
            Column::Description => "description",
            Column::SideCars => "side-cars",
            Column::Pool => "pool",
            Column::SoftKeys => "soft-keys",
            Column::Language => "language",
            Column::TimeZone => "time-zone",
            Column::IdleText => "idle-text",
            _ => continue,
        };
        import.place(at.key(key), place);
        match column {
            Column::Model => match text.parse::<Model>() {
                Ok(model) => device.model = Some(model),
                Err(error) => import.unknown(key, place.clone(), text, &error.near, &error),
            },
            Column::Description => device.description.clone_from(text),
            Column::SideCars => {
                device.side_cars = words(import, key, text, place, SideCar::ALL, SideCar::name)
            }
            Column::Pool => {
                device.pool = import.parse::<Name>(key, text, place);
                if let Some(pool) = &device.pool {
                    import.site.pools.entry(pool.clone()).or_default();
                }
            }
            Column::SoftKeys => device.soft_keys = import.parse(key, text, place),
            Column::Language => {
                let all = crate::Language::ALL;
                device.language =
                    words(import, key, text, place, all, crate::Language::name).first().copied();
            }
            Column::TimeZone => device.time_zone = Some(text.clone()),
            Column::IdleText => device.idle_text.clone_from(text),
            _ => {}
        }
    }
}

/// Words of a list of values, with spaces, '+' or '/' between them.
fn words<T: Copy>(
    import: &mut Import<'_>,
    key: &str,
    text: &str,
    place: &Range<usize>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Vec<T> {
    let mut found = Vec::new();
    for word in text.split([' ', '+', '/']).filter(|word| !word.is_empty()) {
        match all.iter().find(|&&value| name(value).eq_ignore_ascii_case(word)) {
            Some(&value) => found.push(value),
            None => {
                let names: Vec<_> = all.iter().map(|&value| name(value)).collect();
                let message = format!("{word:?} is none of {}", names.join(", "));
                import.unknown(key, place.clone(), word, &names, message);
            }
        }
    }
    found
}

/// The lines of a row: what each is, and what the phone shows beside it.
fn lines(import: &mut Import<'_>, row: &Row, seen: &mut Seen) -> Vec<(LineNumber, String, Range<usize>)> {
    let mut found = Vec::new();
    for number in 1..=MOST {
        let cell = |column| row.get(&(column, number));
        let Some(Cell { text, place }) = cell(Column::Line) else {
            let of_line = [Column::Name, Column::Label, Column::Calls, Column::Mailbox];
            if let Some(orphan) = of_line.into_iter().find_map(cell) {
                let message = format!("stands without a number in the column line{number}");
                import.fault(&format!("line{number}"), orphan.place.clone(), message);
            }
            continue;
        };
        let Some(line) = import.parse::<LineNumber>(&format!("line{number}"), text, place) else { continue };
        import.place(KeyPath::new(&["lines", line.as_str()]), place);
        let mut state = import.site.lines.get(&line).cloned().unwrap_or_default();
        if let Some(name) = cell(Column::Name) {
            import.place(line_path(&line, "name"), &name.place);
            match seen.names.get(&line) {
                Some(other) if other.text != name.text => {
                    let at = import.line(other.place.start);
                    let message = format!("line {line} has the name {:?} at line {at}", other.text);
                    import.fault(&format!("name{number}"), name.place.clone(), message);
                }
                _ => drop(seen.names.insert(line.clone(), name.clone())),
            }
            state.name.clone_from(&name.text);
        }
        if let Some(Cell { text, place }) = cell(Column::Calls)
            && let Some(calls) = import.parse(&format!("calls{number}"), text, place)
        {
            import.place(line_path(&line, "calls"), place);
            state.calls = calls;
            state.busy_trigger = state.busy_trigger.min(calls);
        }
        if let Some(Cell { text, place }) = cell(Column::Mailbox) {
            state.mailbox = import.parse(&format!("mailbox{number}"), text, place);
        }
        if let Some(Cell { text, place }) = row.get(&(Column::PickupGroup, 0)) {
            import.place(line_path(&line, "pickup-group"), place);
            state.pickup_group = import.parse::<Name>("pickup-group", text, place);
            if let Some(group) = &state.pickup_group {
                import.site.pickup_groups.entry(group.clone()).or_default();
            }
        }
        if let Some(Cell { text, place }) = row.get(&(Column::Rights, 0)) {
            import.place(line_path(&line, "rights"), place);
            state.rights = import.parse("rights", text, place);
        }
        import.site.lines.insert(line.clone(), state);
        let label = cell(Column::Label).map(|cell| cell.text.clone()).unwrap_or_default();
        found.push((line, label, place.clone()));
    }
    found
}

/// The buttons: lines, then speed dials, then busy lamps.
fn buttons(
    import: &mut Import<'_>,
    row: &Row,
    at: &KeyPath,
    lines: &[(LineNumber, String, Range<usize>)],
) -> Vec<Button> {
    let mut buttons = Vec::new();
    for (number, label, place) in lines {
        import.place(at.key("buttons").index(buttons.len()), place);
        buttons.push(Button::Line { number: number.clone(), label: label.clone() });
    }
    for (what, of_label, name) in
        [(Column::Dial, Column::DialLabel, "dial"), (Column::Lamp, Column::LampLabel, "lamp")]
    {
        for at_number in 1..=MOST {
            let label = row.get(&(of_label, at_number));
            let Some(Cell { text, place }) = row.get(&(what, at_number)) else {
                if let Some(label) = label {
                    let message = format!("stands without a number in the column {name}{at_number}");
                    import.fault(&format!("{name}{at_number}"), label.place.clone(), message);
                }
                continue;
            };
            let Some(number) = import.parse(&format!("{name}{at_number}"), text, place) else { continue };
            import.place(at.key("buttons").index(buttons.len()), place);
            let label = label.map(|cell| cell.text.clone()).unwrap_or_default();
            buttons.push(match what {
                Column::Dial => Button::SpeedDial { number, label },
                _ => Button::BusyLamp { number, label },
            });
        }
    }
    if let Some((_, _, place)) = lines.first() {
        import.place(at.key("buttons"), place);
    }
    buttons
}
