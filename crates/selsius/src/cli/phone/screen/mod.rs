//! A phone on the terminal's screen.

mod draw;
mod keys;

use std::{io, time::Duration};

use anyhow::Context;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use selsius_client::{ActError, Backoff, Clock, End, Options, Phone, Snapshot};
use selsius_station::{Action, Face, RejectReason};
use tokio::signal::unix::{SignalKind, signal};

use self::{
    draw::View,
    keys::{Pressed, SoftKeyRow},
};
use super::PhoneSettings;

pub(in crate::cli) use self::draw::lamp;

/// How often lamps change and the clock moves.
const TICK: Duration = Duration::from_millis(250);
/// Ticks that a remark stays.
const REMARK: u64 = 12;
/// How long the manager may take to let the phone go.
const LEAVE: Duration = Duration::from_secs(2);

/// Shows the phone until the user leaves it, or the phone ends by itself.
pub(super) async fn show(settings: &PhoneSettings) -> anyhow::Result<()> {
    let clock = Clock::start();
    let options = Options {
        source: settings.source.clone(),
        record: settings.record.clone(),
        ports: settings.ports.clone(),
        reconnect: Some(Backoff::default()),
        clock,
        loses: None,
        tap: None,
    };
    let phone = Phone::start(settings.target.clone(), settings.config.clone(), options);
    // From here on a panic puts the terminal back before its message is printed.
    let mut terminal = ratatui::try_init().context("cannot use this terminal")?;
    let mut screen = Screen { settings, clock, phone, page: 0, ticks: 0, remark: None };
    let left = screen.run(&mut terminal).await;
    ratatui::try_restore().context("cannot put the terminal back")?;
    match (left, screen.phone.hang_up_and_leave(LEAVE).await) {
        (Err(error), _) => Err(error),
        (Ok(()), End::Recording(error)) => Err(anyhow::anyhow!("{error}: {}", error.problem)),
        (Ok(()), _) => Ok(()),
    }
}

struct Screen<'a> {
    settings: &'a PhoneSettings,
    clock: Clock,
    phone: Phone,
    /// Which soft keys are shown where there are more than four.
    page: usize,
    ticks: u64,
    /// What went wrong, and until which tick it is shown.
    remark: Option<(String, u64)>,
}

/// Whether the screen goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Stay,
    Leave,
}

impl Screen<'_> {
    async fn run(&mut self, terminal: &mut ratatui::DefaultTerminal) -> anyhow::Result<()> {
        let mut events = EventStream::new();
        let mut tick = tokio::time::interval(TICK);
        let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        loop {
            let now = self.phone.now();
            self.draw(terminal, &now).context("cannot draw")?;
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if self.event(&event, &now.face).await == Next::Leave {
                            return Ok(());
                        }
                    }
                    Some(Err(error)) => return Err(error).context("cannot read the keyboard"),
                    None => return Ok(()),
                },
                changed = self.phone.changed() => if changed.is_err() {
                    let now = self.phone.now();
                    anyhow::bail!("{}", super::words::connection(&now));
                },
                _ = tick.tick() => self.ticks += 1,
                _ = end.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
            }
        }
    }

    fn draw(&self, terminal: &mut ratatui::DefaultTerminal, now: &Snapshot) -> io::Result<()> {
        let remark = self.remark.as_ref().filter(|(_, until)| self.ticks < *until);
        let view = View {
            settings: self.settings,
            now,
            at: self.clock.now(),
            page: self.page,
            ticks: self.ticks,
            remark: remark.map(|(text, _)| text.as_str()),
        };
        terminal.draw(|frame| draw::draw(frame, &view)).map(drop)
    }

    async fn event(&mut self, event: &Event, face: &Face) -> Next {
        let Some(pressed) = keys::pressed(event) else { return Next::Stay };
        let action = match pressed {
            Pressed::Leave => return Next::Leave,
            Pressed::More => {
                self.page = SoftKeyRow::new(&face.soft_keys, self.page).next_page();
                return Next::Stay;
            }
            Pressed::Act(action) => action,
            Pressed::Handset if face.off_hook => Action::OnHook,
            Pressed::Handset => Action::OffHook,
            Pressed::SoftKey(place) => {
                let row = SoftKeyRow::new(&face.soft_keys, self.page);
                if row.is_more(place) {
                    self.page = row.next_page();
                    return Next::Stay;
                }
                self.page = 0;
                match row.place(place) {
                    Some(place) => Action::SoftKeyAt(place),
                    None => return Next::Stay,
                }
            }
            Pressed::Choose(place) => match face.screen.as_ref().and_then(|screen| screen.choice(place)) {
                Some(name) => Action::Choose(name.into()),
                None => return Next::Stay,
            },
            Pressed::Cursor(step) => match neighbour(face, step) {
                Some(reference) => Action::Select(reference),
                None => return Next::Stay,
            },
        };
        match self.phone.act(action).await {
            Ok(()) => self.remark = None,
            Err(ActError::Refused(RejectReason::NoEffect)) => {}
            Err(error) => self.remark = Some((error.to_string(), self.ticks + REMARK)),
        }
        Next::Stay
    }
}

/// The call above or below the one under the cursor.
fn neighbour(face: &Face, step: isize) -> Option<u32> {
    let at = face.calls.iter().position(|call| call.selected)?;
    face.calls.get(at.checked_add_signed(step)?).map(|call| call.reference)
}
