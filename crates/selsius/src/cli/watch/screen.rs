//! A phone that is watched, on the terminal's screen.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph, Wrap},
};
use selsius_server::api::{CallOnPhone, Device, Face};
use selsius_wire::value::LampMode;

use super::{ENDED, events::Events, words};
use crate::cli::phone;

/// How often lamps change.
const TICK: Duration = Duration::from_millis(250);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const BUTTONS_WIDTH: u16 = 28;

/// Shows the phone until somebody presses a key to leave.
pub(super) async fn show(device: &Device, events: &mut Events) -> Result<()> {
    // From here on a panic puts the terminal back before its message is printed.
    let mut terminal = ratatui::try_init().context("cannot use this terminal")?;
    let left = run(&mut terminal, device, events).await;
    ratatui::try_restore().context("cannot put the terminal back")?;
    left
}

async fn run(terminal: &mut ratatui::DefaultTerminal, device: &Device, events: &mut Events) -> Result<()> {
    let mut keys = EventStream::new();
    let mut tick = tokio::time::interval(TICK);
    let (mut face, mut ticks) = (Face::default(), 0);
    loop {
        terminal.draw(|frame| draw(frame, device, &face, ticks)).context("cannot draw")?;
        tokio::select! {
            next = events.next() => match next? {
                Some(next) => face = next,
                None => bail!(ENDED),
            },
            key = keys.next() => match key {
                Some(Ok(event)) if leaves(&event) => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error).context("cannot read the keyboard"),
                None => return Ok(()),
            },
            _ = tick.tick() => ticks += 1,
        }
    }
}

fn leaves(event: &Event) -> bool {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return false };
    match code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c' | 'd') => modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

fn draw(frame: &mut Frame<'_>, device: &Device, face: &Face, ticks: u64) {
    let (state, colour) =
        if face.registered { ("registered", Color::Green) } else { ("not registered", Color::Yellow) };
    let case = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(Line::styled(format!(" {} ", words::title(device)), BOLD))
        .title(Line::styled(format!(" {state} "), Style::new().fg(colour)).alignment(Alignment::Right))
        .title_bottom(Line::styled(" q quit ", DIM).alignment(Alignment::Center));
    let inside = case.inner(frame.area());
    frame.render_widget(case, frame.area());
    let [top, keys, sound] =
        Layout::vertical([Constraint::Min(4), Constraint::Length(1), Constraint::Length(1)]).areas(inside);
    let [display, buttons] =
        Layout::horizontal([Constraint::Min(30), Constraint::Length(BUTTONS_WIDTH)]).areas(top);

    let block = Block::bordered().border_style(DIM);
    let [calls, prompt] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(1)]).areas(block.inner(display));
    frame.render_widget(block, display);
    let lines: Vec<_> = face.calls.iter().map(call_line).collect();
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), calls);
    frame.render_widget(Line::styled(face.prompt.as_str(), BOLD), prompt);
    frame.render_widget(Paragraph::new(button_lines(device, face, ticks)), buttons);
    frame.render_widget(key_line(face), keys);
    frame.render_widget(sound_line(face, ticks), sound);
}

fn call_line(call: &CallOnPhone) -> Line<'static> {
    let colour = match call.state.as_str() {
        "connected" => Color::Green,
        "ring-in" | "ring-out" | "call-waiting" => Color::Yellow,
        "hold" | "remote-hold" => Color::Cyan,
        "busy" | "congestion" | "invalid-number" => Color::Red,
        _ => Color::Reset,
    };
    Line::from(vec![
        Span::raw(format!("{}  ", call.line)),
        Span::styled(words::call(call), Style::new().fg(colour)),
    ])
}

/// The lines with their lamps, lit or not; then what else is lit.
fn button_lines(device: &Device, face: &Face, ticks: u64) -> Vec<Line<'static>> {
    let lines = (1..)
        .zip(&device.lines)
        .map(|(instance, number)| (words::lamp(face, "line", instance).to_owned(), number.clone()));
    let others = face.lamps.iter().filter(|lamp| lamp.button != "line");
    let others = others.map(|lamp| match lamp.instance {
        0 => (lamp.mode.clone(), lamp.button.clone()),
        instance => (lamp.mode.clone(), format!("{} {instance}", lamp.button)),
    });
    lines
        .chain(others)
        .map(|(mode, label)| {
            let mode = phone::words::lamp_from_name(&mode).unwrap_or(LampMode::Off);
            let (symbol, colour) = phone::screen::lamp(mode, ticks);
            Line::from(vec![
                Span::raw(" "),
                Span::styled(symbol, Style::new().fg(colour)),
                Span::raw(format!(" {label}")),
            ])
        })
        .collect()
}

fn key_line(face: &Face) -> Line<'static> {
    let key = |label: &String| {
        [Span::styled(format!(" {label} "), Style::new().add_modifier(Modifier::REVERSED)), Span::raw("  ")]
    };
    Line::from(std::iter::once(Span::raw(" ")).chain(face.soft_keys.iter().flat_map(key)).collect::<Vec<_>>())
}

fn sound_line(face: &Face, ticks: u64) -> Line<'static> {
    let mut spans = vec![Span::styled(
        if face.speaker { " audio on" } else { " audio off" },
        if face.speaker { BOLD } else { DIM },
    )];
    if let Some(tone) = &face.tone {
        spans.push(Span::styled(format!("  ♪ {}", tone.replace('-', " ")), Style::new().fg(Color::Cyan)));
    }
    if let Some(ring) = &face.ring {
        let bell = if ticks % 4 < 2 { "((♪))" } else { " (♪) " };
        spans.push(Span::styled(
            format!("  {bell} {}", ring.mode.replace('-', " ")),
            Style::new().fg(Color::Yellow),
        ));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;

    fn screen(face: &Face, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &words::tests::device(), face, 0)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_phone_that_rings_on_the_screen() {
        let mut face = words::tests::ringing();
        face.calls[0].calling.name = "Alice".into();
        let shown = screen(&face, (76, 9));
        for part in [
            "SEP020000001002  7960  Bob's desk",
            "registered",
            "1  ringing from Alice (1001)",
            "◉ 1002",
            "○ 1003",
            "From 1001",
            " Answer ",
            "((♪)) inside ring",
        ] {
            assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
        }
        assert!(screen(&Face::default(), (76, 9)).contains("not registered"));
    }

    #[test]
    fn any_size_can_be_drawn() {
        for size in [(1, 1), (10, 3), (40, 8), (200, 60)] {
            screen(&words::tests::ringing(), size);
        }
    }
}
