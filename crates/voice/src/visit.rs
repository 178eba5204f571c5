//! A caller of a meet-me room: asked for the PIN, let in, and what his keys do inside.

use alloc::{string::String, vec, vec::Vec};
use core::mem;

use crate::{Act, Call, Closed, Input, Notice, Output, Role, Say, Stay, call::Step};

/// What opens a room to a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// For guests; empty if everybody may come in.
    pub pin: String,
    /// For moderators; empty if there is none.
    pub moderator_pin: String,
    /// The caller came to open the room: he is to be its moderator.
    pub opens: bool,
    /// Wrong PINs were entered too often: none is taken of him.
    pub barred: bool,
}

/// A caller of a room.
#[derive(Debug)]
pub(crate) struct Visit {
    access: Access,
    at: At,
    typed: String,
    wrong: u32,
    /// He was asked that often without an answer.
    silent: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Pin,
    /// He waits to be let in.
    Door,
    Inside {
        /// He has pressed a star, and the key after it says what he wants.
        star: bool,
    },
}

/// Nobody has a longer PIN.
const MOST_TYPED: usize = 24;
/// How often somebody who does nothing is asked again.
const MOST_SILENT: u32 = 2;

impl Visit {
    pub(crate) fn new(call: &mut Call, access: Access) -> Self {
        let mut visit = Self { access, at: At::Pin, typed: String::new(), wrong: 0, silent: 0 };
        match visit.question() {
            Some(question) => call.play([Say::Prompt(question)]),
            None => visit.enter(call, if visit.access.opens { Role::Moderator } else { Role::Guest }),
        }
        visit
    }

    /// What he is asked; `None` if nothing has to be proved.
    fn question(&self) -> Option<&'static str> {
        let Access { pin, moderator_pin, opens, .. } = &self.access;
        match (pin.is_empty(), moderator_pin.is_empty()) {
            (_, false) if *opens => Some("room-moderator-pin"),
            (true, false) => Some("room-moderator"),
            (true, true) => None,
            (false, _) => Some("room-pin"),
        }
    }

    pub(crate) fn handle(&mut self, call: &mut Call, input: Input) -> Step {
        match input {
            Input::HungUp => return Step::Ends,
            Input::Key(key) => {
                self.silent = 0;
                return self.key(call, key);
            }
            Input::Played if self.at == At::Pin => call.order(Output::Wait(call.limits.patience)),
            Input::Timeout if self.at == At::Pin => return self.late(call),
            Input::Room(notice) => return self.noticed(call, notice),
            _ => {}
        }
        Step::Stays
    }

    fn key(&mut self, call: &mut Call, key: char) -> Step {
        match (self.at, key) {
            (At::Pin, '#') => return self.check(call),
            (At::Pin, _) => {
                if self.typed.len() < MOST_TYPED {
                    self.typed.push(key);
                }
                // He has begun: what is said disturbs him.
                call.order(Output::Silence);
                call.order(Output::Wait(call.limits.patience));
            }
            (At::Inside { star: true }, _) => {
                self.at = At::Inside { star: key == '*' };
                match key {
                    '6' => call.order(Output::Act(Act::Mute)),
                    '2' => call.order(Output::Act(Act::Lock)),
                    '3' => call.order(Output::Act(Act::MuteGuests)),
                    '9' => call.order(Output::Act(Act::End)),
                    '#' => return Step::Says(vec![Say::Prompt("goodbye")]),
                    _ => {}
                }
            }
            (At::Inside { star: false }, _) => self.at = At::Inside { star: key == '*' },
            (At::Door, _) => {}
        }
        Step::Stays
    }

    /// Nothing more came.
    fn late(&mut self, call: &mut Call) -> Step {
        if !self.typed.is_empty() {
            return self.check(call);
        }
        if self.question() == Some("room-moderator") {
            self.enter(call, Role::Guest);
            return Step::Stays;
        }
        if self.silent == MOST_SILENT {
            return Step::Says(vec![Say::Prompt("goodbye")]);
        }
        self.silent += 1;
        self.ask(call, Vec::new());
        Step::Stays
    }

    fn check(&mut self, call: &mut Call) -> Step {
        let typed = mem::take(&mut self.typed);
        let Access { pin, moderator_pin, opens, barred } = &self.access;
        let role = match () {
            () if typed.is_empty() && pin.is_empty() && !opens => Some(Role::Guest),
            () if typed.is_empty() || *barred => None,
            () if typed == *moderator_pin => Some(Role::Moderator),
            // A room without a moderator's PIN has whoever opens it.
            () if typed == *pin && *opens && moderator_pin.is_empty() => Some(Role::Moderator),
            () if typed == *pin => Some(Role::Guest),
            () => None,
        };
        if let Some(role) = role {
            self.enter(call, role);
            return Step::Stays;
        }
        call.order(Output::WrongRoomPin);
        self.wrong += 1;
        if self.wrong == call.limits.wrong {
            return Step::Says(vec![Say::Prompt("wrong"), Say::Prompt("goodbye")]);
        }
        self.ask(call, vec![Say::Prompt("wrong")]);
        Step::Stays
    }

    fn ask(&self, call: &mut Call, mut said: Vec<Say>) {
        said.extend(self.question().map(Say::Prompt));
        call.play(said);
    }

    fn enter(&mut self, call: &mut Call, role: Role) {
        self.at = At::Door;
        call.order(Output::Silence);
        call.order(Output::Enter(role));
    }

    fn noticed(&mut self, call: &mut Call, notice: Notice) -> Step {
        let said = match notice {
            Notice::Closed(Closed::Full) => return Step::Says(vec![Say::Prompt("room-full")]),
            Notice::Closed(Closed::Locked) => return Step::Says(vec![Say::Prompt("room-locked")]),
            Notice::Ended => return Step::Says(vec![Say::Prompt("room-ended")]),
            Notice::PutOut => return Step::Says(vec![Say::Prompt("room-put-out")]),
            Notice::Stay(stay) => {
                call.order(Output::Stay(stay));
                if self.at != At::Door {
                    return Step::Stays;
                }
                self.at = At::Inside { star: false };
                match stay {
                    Stay::Waiting => Say::Prompt("room-wait"),
                    Stay::Alone => Say::Prompt("room-first"),
                    Stay::Together => return Step::Stays,
                }
            }
            Notice::Came => Say::Came,
            Notice::Went => Say::Went,
            Notice::Muted(muted) => {
                call.order(Output::Mute(muted));
                Say::Prompt(if muted { "room-muted" } else { "room-unmuted" })
            }
            Notice::Locked(true) => Say::Prompt("room-closed"),
            Notice::Locked(false) => Say::Prompt("room-open"),
            Notice::GuestsMuted(true) => Say::Prompt("room-guests-muted"),
            Notice::GuestsMuted(false) => Say::Prompt("room-guests-unmuted"),
            Notice::Refused => Say::Prompt("room-refused"),
        };
        call.play([said]);
        Step::Stays
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date};

    use super::*;
    use crate::{Application, Limits};

    const NOON: DateTime = date(2026, 11, 28).at(12, 0, 0, 0);

    fn call(pin: &str, moderator_pin: &str, opens: bool) -> (Call, Vec<Output>) {
        let access = Access { pin: pin.into(), moderator_pin: moderator_pin.into(), opens, barred: false };
        let mut call = Call::new(Application::Room(access), Limits::default());
        let outputs = after(&mut call, Input::Begin);
        (call, outputs)
    }

    fn after(call: &mut Call, input: Input) -> Vec<Output> {
        call.handle(NOON, input);
        std::iter::from_fn(|| call.poll_output()).collect()
    }

    fn types(call: &mut Call, keys: &str) -> Vec<Output> {
        keys.chars().flat_map(|key| after(call, Input::Key(key))).collect()
    }

    fn said(prompts: &[&'static str]) -> Output {
        Output::Play(prompts.iter().map(|&name| Say::Prompt(name)).collect())
    }

    fn enters(outputs: &[Output]) -> Option<Role> {
        outputs.iter().find_map(|output| if let Output::Enter(role) = output { Some(*role) } else { None })
    }

    #[test]
    fn the_pin_says_who_somebody_is() {
        let (guest, moderator) = (Some(Role::Guest), Some(Role::Moderator));
        // PIN, moderator's PIN, came to open it; the question; what is typed, and what it makes of him.
        let table = [
            ("", "", false, None, "", guest),
            ("", "", true, None, "", moderator),
            ("4711", "", false, Some("room-pin"), "4711#", guest),
            ("4711", "", false, Some("room-pin"), "4712#", None),
            ("4711", "", false, Some("room-pin"), "#", None),
            ("4711", "", true, Some("room-pin"), "4711#", moderator),
            ("4711", "9999", false, Some("room-pin"), "9999#", moderator),
            ("4711", "9999", true, Some("room-moderator-pin"), "9999#", moderator),
            ("4711", "9999", true, Some("room-moderator-pin"), "4711#", guest),
            ("", "9999", false, Some("room-moderator"), "9999#", moderator),
            ("", "9999", false, Some("room-moderator"), "#", guest),
            ("", "9999", false, Some("room-moderator"), "1#", None),
            ("", "9999", true, Some("room-moderator-pin"), "#", None),
        ];
        for row in table {
            let (pin, moderator_pin, opens, question, typed, role) = row;
            let (mut call, mut outputs) = call(pin, moderator_pin, opens);
            if let Some(question) = question {
                assert_eq!(outputs, [said(&[question])], "{row:?}");
            }
            outputs.extend(types(&mut call, typed));
            assert_eq!(enters(&outputs), role, "{row:?}");
        }
    }

    #[test]
    fn three_wrong_pins_end_the_call_and_each_is_counted() {
        let (mut call, _) = call("4711", "", false);
        for _ in 0..2 {
            let outputs = types(&mut call, "1234#");
            assert!(
                outputs.contains(&Output::WrongRoomPin) && outputs.contains(&said(&["wrong", "room-pin"]))
            );
        }
        let outputs = types(&mut call, "1234#");
        assert!(outputs.contains(&said(&["wrong", "goodbye"])), "{outputs:?}");
        assert_eq!(enters(&types(&mut call, "4711#")), None);
        assert_eq!(after(&mut call, Input::Played), [Output::HangUp]);
        assert!(call.is_over());
    }

    #[test]
    fn whoever_is_barred_gets_in_by_no_pin() {
        let access = Access { pin: "4711".into(), barred: true, ..Access::default() };
        let mut call = Call::new(Application::Room(access), Limits::default());
        after(&mut call, Input::Begin);
        let outputs = types(&mut call, "4711#");
        assert_eq!(enters(&outputs), None);
    }

    #[test]
    fn who_types_nothing_is_asked_again_and_a_pin_without_its_end_is_taken() {
        let (mut silent, _) = call("4711", "", false);
        for _ in 0..2 {
            assert_eq!(after(&mut silent, Input::Played), [Output::Wait(Limits::default().patience)]);
            assert_eq!(after(&mut silent, Input::Timeout), [said(&["room-pin"])]);
        }
        after(&mut silent, Input::Played);
        assert_eq!(after(&mut silent, Input::Timeout), [said(&["goodbye"])]);
        let (mut slow, _) = call("4711", "", false);
        types(&mut slow, "4711");
        assert_eq!(enters(&after(&mut slow, Input::Timeout)), Some(Role::Guest));
        let (mut guest, _) = call("", "9999", false);
        after(&mut guest, Input::Played);
        assert_eq!(enters(&after(&mut guest, Input::Timeout)), Some(Role::Guest));
    }

    #[test]
    fn inside_a_star_and_a_key_do_something_and_notices_are_heard() {
        let (mut call, _) = call("", "", true);
        let first = after(&mut call, Input::Room(Notice::Stay(Stay::Alone)));
        assert_eq!(first, [Output::Stay(Stay::Alone), said(&["room-first"])]);
        let together = after(&mut call, Input::Room(Notice::Stay(Stay::Together)));
        assert_eq!(together, [Output::Stay(Stay::Together)]);
        assert_eq!(after(&mut call, Input::Room(Notice::Came)), [Output::Play(vec![Say::Came])]);
        assert_eq!(types(&mut call, "6#1"), []);
        let acts = [('6', Act::Mute), ('2', Act::Lock), ('3', Act::MuteGuests), ('9', Act::End)];
        for (key, act) in acts {
            assert_eq!(types(&mut call, "*"), []);
            assert_eq!(after(&mut call, Input::Key(key)), [Output::Act(act)]);
        }
        assert_eq!(types(&mut call, "*56"), [], "the star is for one key");
        assert_eq!(types(&mut call, "**6"), [Output::Act(Act::Mute)]);
        let muted = after(&mut call, Input::Room(Notice::Muted(true)));
        assert_eq!(muted, [Output::Mute(true), said(&["room-muted"])]);
        assert_eq!(types(&mut call, "*#"), [said(&["goodbye"])]);
        assert_eq!(after(&mut call, Input::Played), [Output::HangUp]);
    }

    #[test]
    fn who_is_not_let_in_or_put_out_hears_why_and_the_call_ends() {
        let table = [
            (Notice::Closed(Closed::Full), "room-full"),
            (Notice::Closed(Closed::Locked), "room-locked"),
            (Notice::Ended, "room-ended"),
            (Notice::PutOut, "room-put-out"),
        ];
        for (notice, prompt) in table {
            let (mut call, _) = call("", "", false);
            assert_eq!(after(&mut call, Input::Room(notice)), [said(&[prompt])]);
            assert_eq!(after(&mut call, Input::Played), [Output::HangUp]);
        }
    }
}
