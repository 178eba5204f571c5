//! Which key of the keyboard is which of the phone.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use selsius_station::Action;

use crate::cli::phone::key;

/// What a key of the keyboard means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pressed {
    Act(Action),
    /// Up or down, whichever it is not.
    Handset,
    /// The soft key at this place of the row.
    SoftKey(usize),
    /// More soft keys.
    More,
    /// What has this number on the screen that the manager sent, from 0.
    Choose(usize),
    /// The call above (-1) or below (1).
    Cursor(isize),
    Leave,
}

/// What stands at the foot of the screen.
pub(super) const HELP: &str =
    "0-9 * # dial   Enter/h handset   s speaker   Esc hang up   F5-F9 lines   q quit";

pub(super) fn pressed(event: &Event) -> Option<Pressed> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    if *kind == KeyEventKind::Release {
        return None;
    }
    let control = modifiers.contains(KeyModifiers::CONTROL);
    Some(match code {
        KeyCode::Char('c' | 'd') if control => Pressed::Leave,
        KeyCode::Char(digit @ '1'..='9') if control => Pressed::Choose(*digit as usize - '1' as usize),
        KeyCode::Char(_) if control => return None,
        KeyCode::Delete => Pressed::Act(Action::LeaveScreen),
        KeyCode::Char(digit @ '1'..='9') if modifiers.contains(KeyModifiers::ALT) => {
            Pressed::Act(Action::Button(*digit as usize - '1' as usize))
        }
        KeyCode::Char('h') | KeyCode::Enter => Pressed::Handset,
        KeyCode::Char('s') => Pressed::Act(Action::Speaker),
        KeyCode::Char('e') => Pressed::Act(Action::Headset),
        KeyCode::Char('f') => Pressed::Act(Action::HookFlash),
        KeyCode::Char('m') => Pressed::More,
        KeyCode::Char('q') | KeyCode::F(10) => Pressed::Leave,
        KeyCode::Char(char) if "0123456789*#+".contains(*char) => Pressed::Act(Action::Digit(key(*char)?)),
        KeyCode::Backspace => Pressed::Act(Action::SoftKey("<<".into())),
        KeyCode::Esc => Pressed::Act(Action::OnHook),
        KeyCode::F(number @ 1..=4) => Pressed::SoftKey(usize::from(number - 1)),
        KeyCode::F(number @ 5..=9) => Pressed::Act(Action::Button(usize::from(number - 5))),
        KeyCode::Up => Pressed::Cursor(-1),
        KeyCode::Down => Pressed::Cursor(1),
        _ => return None,
    })
}

/// The four keys below the display: where there are more than four soft keys, the last one shows the next three, as on
/// real phones.
#[derive(Debug, Clone, Copy)]
pub(super) struct SoftKeyRow<'a> {
    labels: &'a [String],
    page: usize,
}

const KEYS: usize = 4;

impl<'a> SoftKeyRow<'a> {
    pub(super) fn new(labels: &'a [String], page: usize) -> Self {
        let len = labels.iter().rposition(|label| !label.is_empty()).map_or(0, |last| last + 1);
        let labels = labels.get(..len).unwrap_or_default();
        let row = Self { labels, page: 0 };
        Self { page: if page < row.pages() { page } else { 0 }, ..row }
    }

    fn pages(&self) -> usize {
        if self.labels.len() <= KEYS { 1 } else { self.labels.len().div_ceil(KEYS - 1) }
    }

    pub(super) fn next_page(&self) -> usize {
        (self.page + 1) % self.pages()
    }

    /// Whether the key at this place shows the others.
    pub(super) fn is_more(&self, place: usize) -> bool {
        self.pages() > 1 && place == KEYS - 1
    }

    /// Which soft key stands at this place of the row.
    pub(super) fn place(&self, place: usize) -> Option<usize> {
        if self.is_more(place) || place >= KEYS {
            return None;
        }
        let place = if self.pages() > 1 { self.page * (KEYS - 1) + place } else { place };
        self.labels.get(place).filter(|label| !label.is_empty()).map(|_| place)
    }

    /// What stands at the four places.
    pub(super) fn shown(&self) -> [&'a str; KEYS] {
        std::array::from_fn(|place| {
            let label = self.place(place).and_then(|place| self.labels.get(place));
            if self.is_more(place) { "more" } else { label.map_or("", String::as_str) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        text.split(' ').map(|label| label.trim_matches('-').to_owned()).collect()
    }

    #[test]
    fn four_keys_fit_and_more_are_turned_over() {
        let four = labels("Redial NewCall CFwdAll Pickup - -");
        let row = SoftKeyRow::new(&four, 0);
        assert_eq!(row.shown(), ["Redial", "NewCall", "CFwdAll", "Pickup"]);
        assert_eq!((row.place(3), row.next_page()), (Some(3), 0));

        let many = labels("Hold EndCall Trnsfer - Confrn Park Join");
        let pages: Vec<_> = (0..3).map(|page| SoftKeyRow::new(&many, page).shown()).collect();
        assert_eq!(
            pages,
            [
                ["Hold", "EndCall", "Trnsfer", "more"],
                ["", "Confrn", "Park", "more"],
                ["Join", "", "", "more"]
            ]
        );
        let row = SoftKeyRow::new(&many, 1);
        assert_eq!((row.place(0), row.place(1), row.place(3)), (None, Some(4), None));
        assert_eq!(SoftKeyRow::new(&many, 2).next_page(), 0);
        // The set changed, and has no third page any more.
        assert_eq!(SoftKeyRow::new(&four, 2).shown()[0], "Redial");
        assert_eq!(SoftKeyRow::new(&[], 0).shown(), [""; 4]);
    }

    #[test]
    fn keys_are_where_people_look_for_them() {
        let press = |code, modifiers| pressed(&Event::Key(KeyEvent::new(code, modifiers)));
        let plain = |code| press(code, KeyModifiers::NONE);
        assert_eq!(
            plain(KeyCode::Char('#')),
            Some(Pressed::Act(Action::Digit(selsius_wire::value::KeypadKey::Pound)))
        );
        assert_eq!(plain(KeyCode::Enter), Some(Pressed::Handset));
        assert_eq!(plain(KeyCode::F(4)), Some(Pressed::SoftKey(3)));
        assert_eq!(plain(KeyCode::F(5)), Some(Pressed::Act(Action::Button(0))));
        assert_eq!(plain(KeyCode::F(10)), Some(Pressed::Leave));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Pressed::Leave));
        assert_eq!(press(KeyCode::Char('3'), KeyModifiers::ALT), Some(Pressed::Act(Action::Button(2))));
        assert_eq!(plain(KeyCode::Char('x')), None);
        assert_eq!(press(KeyCode::Char('s'), KeyModifiers::CONTROL), None);
    }
}
