//! What the screen looks like.

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph, Wrap},
};
use selsius_client::{AudioSource, Connection, Snapshot};
use selsius_station::{ButtonFace, CallFace, Clock, ScreenFace};
use selsius_wire::{
    Time,
    value::{ButtonType, CallState, LampMode},
};

use super::keys::{HELP, SoftKeyRow};
use crate::cli::phone::{PhoneSettings, words};

/// All that is drawn.
pub(super) struct View<'a> {
    pub(super) settings: &'a PhoneSettings,
    pub(super) now: &'a Snapshot,
    /// The time on the phone's clock.
    pub(super) at: Time,
    pub(super) page: usize,
    /// Quarters of a second, for what blinks.
    pub(super) ticks: u64,
    pub(super) remark: Option<&'a str>,
}

const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const BUTTONS_WIDTH: u16 = 28;

pub(super) fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let title = format!(" {} · {} ", view.settings.name, view.settings.model);
    let why = no_connection(view.now);
    let state = if why.is_some() { "no manager".into() } else { words::connection(view.now) };
    let state = format!(" {state} ");
    let state_style =
        if view.now.face.registered { Style::new().fg(Color::Green) } else { Style::new().fg(Color::Yellow) };
    let case = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(Line::styled(title, BOLD))
        .title(Line::styled(state, state_style).alignment(Alignment::Right))
        .title_bottom(Line::styled(format!(" {HELP} "), DIM).alignment(Alignment::Center));
    let inside = case.inner(frame.area());
    frame.render_widget(case, frame.area());

    let [top, keys, sound, heard] = Layout::vertical([
        Constraint::Min(5),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(inside);
    let [display, buttons] =
        Layout::horizontal([Constraint::Min(30), Constraint::Length(BUTTONS_WIDTH)]).areas(top);
    draw_display(frame, display, view);
    draw_buttons(frame, buttons, view);
    frame.render_widget(soft_keys(view), keys);
    frame.render_widget(sound_line(view), sound);
    frame.render_widget(heard_line(view), heard);
}

/// The phone's own display.
fn draw_display(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let face = &view.now.face;
    let block = Block::bordered().border_style(DIM);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let [top, middle, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]).areas(inside);

    let clock = face.clock.map(|clock| time_of_day(&clock, view.at)).unwrap_or_default();
    let own = face.active_line.or(Some(1)).and_then(|line| face.line(line));
    let own = own.map(|line| line.number.clone()).unwrap_or_default();
    let mail = if face.message_lamp == LampMode::On { " ✉" } else { "" };
    frame.render_widget(Line::from(clock), top);
    frame.render_widget(Line::styled(format!("{own}{mail}"), BOLD).alignment(Alignment::Right), top);

    let mut lines = vec![Line::default()];
    if let Some(text) = &face.reject {
        lines.push(Line::styled(text.clone(), Style::new().fg(Color::Red)));
    }
    lines.extend(no_connection(view.now).map(|why| Line::styled(why, Style::new().fg(Color::Yellow))));
    lines.extend(face.text.iter().map(|text| Line::from(text.clone())));
    match &face.screen {
        Some(screen) => lines.extend(screen_lines(screen, middle.width.into())),
        None => lines.extend(face.calls.iter().flat_map(call_lines)),
    }
    // The number as it is typed; afterwards the call tells whom it is with.
    let is_typing = !face.calls.iter().any(|call| call.selected && call.state != CallState::OffHook);
    if is_typing && !face.dialed.is_empty() {
        lines.push(Line::styled(format!("  {}▏", face.dialed), BOLD));
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), middle);

    let prompt = match view.remark {
        Some(remark) => Span::styled(format!(" {remark} "), Style::new().fg(Color::Black).bg(Color::Yellow)),
        None => Span::styled(face.status().to_owned(), BOLD),
    };
    frame.render_widget(Line::from(prompt), foot);
}

/// Why there is no connection.
fn no_connection(now: &Snapshot) -> Option<String> {
    matches!(now.connection, Connection::Waiting { .. } | Connection::Down { .. })
        .then(|| words::connection(now))
}

/// A screen that the manager sent; what can be chosen has a number.
fn screen_lines(screen: &ScreenFace, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(screen.title.clone(), BOLD)];
    lines.extend(screen.text.lines().map(|line| Line::from(line.to_owned())));
    lines.extend(screen.picture.iter().flat_map(|picture| words::blocks(picture, width)).map(Line::from));
    let names = screen.items.iter().map(ToString::to_string).chain(screen.keys.iter().cloned());
    let choices = (1..).zip(names);
    lines.extend(choices.map(|(number, name)| Line::from(format!("  {number} {name}"))));
    lines.push(Line::styled(format!("{}  Ctrl+number chooses, Del leaves", screen.prompt), DIM));
    lines
}

fn call_lines(call: &CallFace) -> Vec<Line<'static>> {
    let mark = if call.selected { "▸ " } else { "  " };
    let colour = match call.state {
        CallState::Connected => Color::Green,
        CallState::RingIn | CallState::RingOut | CallState::CallWaiting => Color::Yellow,
        CallState::Hold | CallState::HoldRevert | CallState::RemoteHold => Color::Cyan,
        CallState::Busy | CallState::Congestion | CallState::InvalidNumber => Color::Red,
        _ => Color::Reset,
    };
    let mut spans = vec![Span::raw(mark), Span::styled(words::state(call.state), Style::new().fg(colour))];
    let party = words::other_party(call);
    if !party.is_empty() && call.state != CallState::OffHook {
        let direction = words::direction(call);
        spans.push(Span::raw(if direction.is_empty() { " ".into() } else { format!(" {direction} ") }));
        spans.push(Span::styled(party, BOLD));
    }
    let mut lines = vec![Line::from(spans)];
    if !call.last_redirecting_number.is_empty() && call.last_redirecting_number != call.called_number {
        let (name, number) = (&call.last_redirecting_name, &call.last_redirecting_number);
        lines.push(Line::styled(format!("    by {name} ({number})"), DIM));
    }
    lines
}

/// The buttons beside the display, with their lamps.
fn draw_buttons(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let buttons = view.now.face.lines.iter().enumerate();
    let shown =
        buttons.filter(|(_, button)| !matches!(button.kind, ButtonType::Undefined | ButtonType::Unused));
    let lines: Vec<_> = shown.map(|(place, button)| button_line(place, button, view.ticks)).collect();
    let inside = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    frame.render_widget(Paragraph::new(lines), inside);
}

fn button_line(place: usize, button: &ButtonFace, ticks: u64) -> Line<'static> {
    let key = match place {
        0..=4 => format!("F{}", place + 5),
        5..=8 => format!("A{}", place + 1),
        _ => "  ".into(),
    };
    let label = match button.label.as_str() {
        "" => button.kind.name(),
        label => label,
    };
    let forward =
        if button.forward_all.is_empty() { String::new() } else { format!(" ↪{}", button.forward_all) };
    let (symbol, colour) = lamp(button.light(), ticks);
    Line::from(vec![
        Span::raw(" "),
        Span::styled(symbol, Style::new().fg(colour)),
        Span::raw(format!(" {label}{forward} ")),
        Span::styled(key, DIM),
    ])
}

/// A lamp as one sees it at this moment. Wink goes out for a moment now and then, flash is fast, blink is slow; the
/// shapes differ too, for those who cannot tell the colours or see a picture that stands still.
pub(in crate::cli) fn lamp(mode: LampMode, ticks: u64) -> (&'static str, Color) {
    match mode {
        LampMode::On => ("●", Color::Green),
        LampMode::Wink if ticks % 8 == 7 => ("○", Color::Green),
        LampMode::Wink => ("◐", Color::Green),
        LampMode::Flash if ticks % 2 == 1 => ("◇", Color::Yellow),
        LampMode::Flash => ("◆", Color::Yellow),
        LampMode::Blink if ticks % 4 >= 2 => ("◎", Color::Yellow),
        LampMode::Blink => ("◉", Color::Yellow),
        LampMode::Off | LampMode::Unknown(_) => ("○", Color::DarkGray),
    }
}

fn soft_keys(view: &View<'_>) -> Line<'static> {
    let row = SoftKeyRow::new(&view.now.face.soft_keys, view.page);
    let mut spans = vec![Span::raw(" ")];
    for (place, label) in row.shown().into_iter().enumerate() {
        spans.push(Span::styled(format!("F{}", place + 1), DIM));
        let style =
            if label.is_empty() { Style::new() } else { Style::new().add_modifier(Modifier::REVERSED) };
        spans.push(Span::raw(" "));
        spans.push(Span::styled(format!(" {label:<9}"), style));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

/// Handset, speaker, tone and bell.
fn sound_line(view: &View<'_>) -> Line<'static> {
    let face = &view.now.face;
    let mut spans = vec![Span::raw(" ")];
    let handset = if face.off_hook { "handset up" } else { "handset down" };
    spans.push(Span::styled(handset, if face.off_hook { BOLD } else { DIM }));
    for (name, on) in [("speaker", face.speaker), ("headset", face.headset)] {
        if on {
            spans.push(Span::styled(format!("  {name} on"), BOLD));
        }
    }
    if let Some(tone) = face.tone {
        spans.push(Span::styled(format!("  ♪ {}", words::tone(tone)), Style::new().fg(Color::Cyan)));
    }
    if let Some(ring) = face.ringing.filter(|ring| words::ring(*ring) != "off") {
        let bell = if view.ticks % 4 < 2 { "((♪))" } else { " (♪) " };
        spans.push(Span::styled(format!("  {bell} {}", words::ring(ring)), Style::new().fg(Color::Yellow)));
    }
    Line::from(spans)
}

/// What comes in and what goes out.
fn heard_line(view: &View<'_>) -> Line<'static> {
    let voice = &view.now.voice;
    let says = match &view.settings.source {
        AudioSource::Silence => "silence".to_owned(),
        AudioSource::Tone(hertz) => format!("{hertz} Hz"),
        source @ AudioSource::Samples(_) => format!("{:.1} s of sound", source.seconds().unwrap_or_default()),
    };
    let mut spans = vec![Span::styled(" hears ", DIM)];
    if let Some(level) = voice.level {
        let (full, empty) = meter(level.as_dbm0());
        spans.push(Span::styled(full, Style::new().fg(Color::Green)));
        spans.push(Span::styled(empty, DIM));
        spans.push(Span::raw(" "));
    }
    spans.push(Span::raw(words::heard(view.now)));
    if voice.packets_sent > 0 {
        spans.push(Span::styled("   says ", DIM));
        spans.push(Span::raw(format!("{says}, {} packets", voice.packets_sent)));
    }
    if view.settings.record.is_some() {
        spans.push(Span::styled("   ● recording", Style::new().fg(Color::Red)));
    }
    Line::from(spans)
}

/// Ten bars for -50 to 0 dBm0.
fn meter(dbm0: f32) -> (String, String) {
    let bars = ((dbm0 + 50.0) / 5.0).clamp(0.0, 10.0) as usize;
    ("▮".repeat(bars), "▯".repeat(10 - bars))
}

/// The manager told the time once; the phone counts on, as phones do, within the day.
fn time_of_day(clock: &Clock, at: Time) -> String {
    let told = u64::from(clock.hour) * 3600 + u64::from(clock.minute) * 60 + u64::from(clock.second);
    let now = (told + at.since(clock.told_at).as_secs()) % 86_400;
    format!("{:02}:{:02}  {:02}.{:02}.{}", now / 3600, now / 60 % 60, clock.day, clock.month, clock.year)
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};
    use selsius_media::Level;
    use selsius_station::{Config, Face, ModelClass, Phase};
    use selsius_wire::value::{CallType, RingMode};

    use super::*;

    fn settings() -> PhoneSettings {
        PhoneSettings {
            target: "127.0.0.1:2000".parse().unwrap(),
            name: "SEP020000000001".into(),
            model: "7960",
            config: Config::new("SEP020000000001", ModelClass::P7960),
            source: AudioSource::Tone(440),
            record: None,
            ports: Default::default(),
        }
    }

    fn button(instance: u32, number: &str, label: &str, lamp: LampMode) -> ButtonFace {
        ButtonFace {
            instance,
            kind: ButtonType::Line,
            number: number.into(),
            name: String::new(),
            label: label.into(),
            lamp,
            status: 0,
            forward_all: String::new(),
        }
    }

    fn ringing() -> Snapshot {
        let call = CallFace {
            line: 1,
            reference: 7,
            state: CallState::RingIn,
            call_type: CallType::Inbound,
            calling_name: "Alice".into(),
            calling_number: "1001".into(),
            selected: true,
            ..CallFace::default()
        };
        let face = Face {
            phase: Phase::Registered,
            registered: true,
            prompt: "From 1001".into(),
            lines: vec![button(1, "1002", "Bob", LampMode::Blink), button(2, "1003", "Shop", LampMode::Off)],
            calls: vec![call],
            soft_keys: vec!["Answer".into(), "iDivert".into()],
            ringing: Some(RingMode::Inside),
            active_line: Some(1),
            clock: Some(Clock {
                year: 2026,
                month: 11,
                day: 24,
                weekday: 2,
                hour: 23,
                minute: 59,
                second: 30,
                told_at: Time::from_millis(1_000),
            }),
            ..Face::default()
        };
        let connection = Connection::Up {
            local: "127.0.0.1:40000".parse().unwrap(),
            remote: "127.0.0.1:2000".parse().unwrap(),
        };
        Snapshot { connection, face, ..Snapshot::default() }
    }

    fn screen(now: &Snapshot, remark: Option<&str>, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let settings = settings();
        let view =
            View { settings: &settings, now, at: Time::from_millis(32_000), page: 0, ticks: 0, remark };
        terminal.draw(|frame| draw(frame, &view)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_phone_that_rings() {
        let expected = include_str!("ringing.txt");
        let shown = screen(&ringing(), None, (84, 14));
        assert_eq!(shown, expected, "the screen is now:\n{shown}");
    }

    #[test]
    fn a_phone_that_talks() {
        let mut now = ringing();
        now.face.calls[0].state = CallState::Connected;
        now.face.soft_keys = ["Hold", "EndCall", "Trnsfer", "Confrn", "Park"].map(str::to_owned).into();
        now.face.ringing = None;
        now.face.off_hook = true;
        now.face.lines[0].lamp = LampMode::On;
        now.face.prompt = "Connected".into();
        now.voice.codec = Some(selsius_media::Codec::Pcmu);
        now.voice.level = Some(Level::dbm0(-10.0));
        now.voice.received.packets = 150;
        now.voice.packets_sent = 151;
        let expected = include_str!("talking.txt");
        let shown = screen(&now, Some("there is no such key now"), (84, 14));
        assert_eq!(shown, expected, "the screen is now:\n{shown}");
    }

    #[test]
    fn any_size_can_be_drawn() {
        for size in [(1, 1), (10, 3), (40, 8), (200, 60)] {
            screen(&ringing(), Some("too small"), size);
        }
    }
}
