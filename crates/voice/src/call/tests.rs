use jiff::civil::{date, time};

use super::*;
use crate::{Mailbox, Message, MessageId};

const NOON: DateTime = date(2026, 11, 28).at(12, 0, 0, 0);

fn call(application: Application) -> Call {
    let mut call = Call::new(application, Limits::default());
    call.handle(NOON, Input::Begin);
    call
}

/// What a call wants after this.
fn after(call: &mut Call, input: Input) -> Vec<Output> {
    call.handle(NOON, input);
    outputs(call)
}

fn outputs(call: &mut Call) -> Vec<Output> {
    std::iter::from_fn(|| call.poll_output()).collect()
}

/// What a person types.
fn types(call: &mut Call, keys: &str) -> Vec<Output> {
    keys.chars().flat_map(|key| after(call, Input::Key(key))).collect()
}

/// The prompts in what is played.
fn prompts(outputs: &[Output]) -> Vec<&'static str> {
    let said = outputs.iter().filter_map(|output| match output {
        Output::Play(said) => Some(said),
        _ => None,
    });
    said.flatten().filter_map(|say| if let Say::Prompt(name) = say { Some(*name) } else { None }).collect()
}

fn mailbox() -> Mailbox {
    let message = |id, heard, caller: &str| Message {
        id: MessageId(id),
        heard,
        at: NOON.saturating_sub(jiff::SignedDuration::from_hours(24)),
        caller: caller.into(),
    };
    let messages = vec![message(1, true, "1003"), message(2, false, "1004"), message(3, false, "")];
    Mailbox { number: "1002".into(), pin: Some("4711".into()), messages, ..Mailbox::default() }
}

fn plays(outputs: &[Output], id: u64) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Play(said) if said.contains(&Say::Message(MessageId(id)))))
}

#[test]
fn an_echo_comes_after_its_explanation_and_ends() {
    let mut call = call(Application::Echo);
    assert_eq!(prompts(&outputs(&mut call)), ["echo"]);
    let stay = Limits::default().stay;
    assert_eq!(after(&mut call, Input::Played), [Output::Echo, Output::Wait(stay)]);
    assert_eq!(types(&mut call, "123"), []);
    assert_eq!(after(&mut call, Input::Timeout), [Output::HangUp]);
    assert!(call.is_over());
}

#[test]
fn the_clock_beeps_at_the_moment_that_it_said() {
    let mut call = Call::new(Application::Clock, Limits::default());
    let at = |hour, minute, second, nano| NOON.date().to_datetime(time(hour, minute, second, nano));
    let table = [
        // When it begins to speak, and the moment that it says.
        (at(12, 0, 0, 1), at(12, 0, 10, 0)),
        (at(12, 0, 3, 500_000_000), at(12, 0, 20, 0)),
        (at(12, 59, 52, 999_999_999), at(13, 0, 0, 0)),
        (at(23, 59, 55, 0), date(2026, 11, 29).at(0, 0, 10, 0)),
    ];
    for (now, said) in table {
        call.handle(now, Input::Begin);
        let Some(Output::Play(words)) = call.poll_output() else { panic!("{now}") };
        let seconds = said.second().unsigned_abs().into();
        assert_eq!(words[1..], [Say::Time(said.time()), Say::Seconds(seconds)], "{now}");
        let spoken = now.saturating_add(Duration::from_secs(6));
        call.handle(spoken, Input::Played);
        let Some(Output::Wait(wait)) = call.poll_output() else { panic!("{now}") };
        assert_eq!(spoken.saturating_add(wait), said);
        call.handle(said, Input::Timeout);
        assert_eq!(call.poll_output(), Some(Output::Play(vec![Say::Beep])));
        call = Call::new(Application::Clock, Limits::default());
    }
    // After five minutes it has said enough.
    call.handle(NOON, Input::Begin);
    outputs(&mut call);
    let late = NOON.saturating_add(Limits::default().stay);
    call.handle(late, Input::Played);
    assert_eq!(outputs(&mut call), [Output::HangUp]);
}

#[test]
fn a_message_is_kept_when_it_is_long_enough_whoever_ends_it() {
    for end in [Input::Key('#'), Input::Timeout, Input::HungUp] {
        let mut call = call(Application::Leave("1002".into()));
        assert_eq!(outputs(&mut call), [Output::Open("1002".into())]);
        assert_eq!(
            prompts(&after(&mut call, Input::Mailbox(Some(mailbox())))),
            ["you-reached", "not-available", "leave"]
        );
        assert_eq!(after(&mut call, Input::Played)[0], Output::Record);
        assert_eq!(types(&mut call, "12"), [], "these are part of the message");
        assert_eq!(after(&mut call, end.clone()), [Output::StopRecording]);
        let kept = after(&mut call, Input::Recorded(Duration::from_secs(1)));
        assert_eq!(kept, [Output::Keep("1002".into())]);
        let done = after(&mut call, Input::Done(true));
        assert_eq!(prompts(&done).is_empty(), end == Input::HungUp, "{done:?}");
        assert_eq!(call.is_over(), end == Input::HungUp);
    }
}

#[test]
fn what_is_too_short_is_asked_for_again_and_a_full_or_missing_mailbox_says_so() {
    let mut short = call(Application::Leave("1002".into()));
    after(&mut short, Input::Mailbox(Some(Mailbox { greeting: true, ..mailbox() })));
    assert_eq!(
        after(&mut short, Input::Key('#')),
        [Output::Play(vec![Say::Beep])],
        "the greeting is cut off"
    );
    after(&mut short, Input::Played);
    after(&mut short, Input::Key('#'));
    let said = after(&mut short, Input::Recorded(Duration::from_millis(999)));
    assert_eq!(prompts(&said), ["too-short"]);
    after(&mut short, Input::Played);
    after(&mut short, Input::HungUp);
    assert_eq!(after(&mut short, Input::Recorded(Duration::ZERO)), []);
    assert!(short.is_over());

    for (found, said) in [(Some(Mailbox { full: true, ..mailbox() }), "full"), (None, "no-mailbox")] {
        let mut call = call(Application::Leave("1002".into()));
        outputs(&mut call);
        assert_eq!(prompts(&after(&mut call, Input::Mailbox(found))), [said]);
        assert_eq!(after(&mut call, Input::Played), [Output::HangUp]);
    }
}

#[test]
fn new_messages_come_first_and_keys_do_what_is_said() {
    let mut call = call(Application::Listen(Some("1002".into())));
    assert_eq!(outputs(&mut call), [Output::Open("1002".into())]);
    let said = after(&mut call, Input::Mailbox(Some(mailbox())));
    let Some(Output::Play(words)) = said.first() else { panic!("{said:?}") };
    assert_eq!(
        words[1..4],
        [
            Say::Count(2, "new-message", "new-messages"),
            Say::Prompt("and"),
            Say::Count(1, "saved-message", "saved-messages"),
        ]
    );
    assert!(plays(&said, 2));
    // To its end: it is heard, and the keys are explained.
    let said = after(&mut call, Input::Played);
    assert_eq!(said[0], Output::Heard("1002".into(), MessageId(2)));
    assert_eq!(prompts(&said), ["message-menu"]);
    assert!(plays(&types(&mut call, "1"), 2));
    assert!(plays(&types(&mut call, "2"), 3), "heard once already");
    assert_eq!(prompts(&types(&mut call, "4")), ["cannot-call-back"]);
    let said = types(&mut call, "3");
    assert_eq!(said[0], Output::Delete("1002".into(), MessageId(3)));
    assert!(plays(&said, 1));
    assert_eq!(types(&mut call, "4"), [Output::Redirect("1003".into())]);
    assert!(call.is_over());
}

#[test]
fn another_phone_has_to_prove_itself_and_hears_not_whether_there_is_a_mailbox() {
    let locked = Mailbox { locked: true, ..mailbox() };
    let without = Mailbox { pin: None, ..mailbox() };
    let table = [
        (Some(mailbox()), "4711", None),
        (Some(mailbox()), "4712", Some("wrong")),
        (Some(mailbox()), "", Some("wrong")),
        (Some(without), "", Some("wrong")),
        (None, "4711", Some("wrong")),
        (Some(locked), "4711", Some("locked")),
    ];
    for (found, pin, refused) in table {
        let mut call = call(Application::Listen(None));
        assert_eq!(prompts(&outputs(&mut call)), ["enter-mailbox"]);
        assert_eq!(prompts(&types(&mut call, "1002#")), ["enter-pin"]);
        assert!(types(&mut call, pin).iter().all(|output| !matches!(output, Output::Open(_))));
        assert_eq!(types(&mut call, "#"), [Output::Open("1002".into())]);
        let said = after(&mut call, Input::Mailbox(found.clone()));
        match refused {
            None => assert!(plays(&said, 2)),
            Some(word) => assert_eq!(prompts(&said)[0], word, "{found:?} {pin}"),
        }
        assert_eq!(said.contains(&Output::WrongPin("1002".into())), refused == Some("wrong"));
        if refused.is_none() {
            assert_eq!(prompts(&types(&mut call, "4")), ["failed"], "nobody is called from outside");
        }
    }
    // Three wrong ones end the call.
    let mut call = call(Application::Listen(None));
    for time in 1..=3 {
        types(&mut call, "1002#1#");
        let said = prompts(&after(&mut call, Input::Mailbox(Some(mailbox()))));
        assert_eq!(said.contains(&"goodbye"), time == 3);
    }
    after(&mut call, Input::Played);
    assert!(call.is_over());
}

#[test]
fn a_greeting_and_a_pin_are_set_in_the_menu() {
    let mut call = call(Application::Listen(Some("1002".into())));
    after(&mut call, Input::Mailbox(Some(Mailbox { messages: Vec::new(), ..mailbox() })));
    types(&mut call, "21");
    assert_eq!(after(&mut call, Input::Played)[0], Output::Record);
    assert_eq!(types(&mut call, "#"), [Output::StopRecording]);
    assert_eq!(prompts(&after(&mut call, Input::Recorded(Duration::from_secs(2)))), ["greeting-done"]);
    assert_eq!(types(&mut call, "1"), [Output::SetGreeting("1002".into(), true)]);
    assert_eq!(prompts(&after(&mut call, Input::Done(true))), ["greeting-saved", "main-menu"]);
    assert_eq!(types(&mut call, "23")[1..], [Output::SetGreeting("1002".into(), false)]);
    assert_eq!(prompts(&after(&mut call, Input::Done(false))), ["failed", "main-menu"]);

    assert_eq!(prompts(&types(&mut call, "3123#")), ["new-pin", "wrong", "new-pin"]);
    assert_eq!(prompts(&types(&mut call, "1234#1235#")), ["pin-again", "wrong", "new-pin"]);
    let said = types(&mut call, "1234#1234#");
    assert_eq!(said.last(), Some(&Output::SetPin("1002".into(), "1234".into())));
    // Who does nothing is asked again twice, and then it ends.
    assert_eq!(prompts(&after(&mut call, Input::Done(true))), ["pin-saved", "main-menu"]);
    let patience = [Output::Wait(Limits::default().patience)];
    for _ in 0..2 {
        assert_eq!(after(&mut call, Input::Played), patience);
        assert_eq!(prompts(&after(&mut call, Input::Timeout)), ["main-menu"]);
    }
    after(&mut call, Input::Played);
    assert_eq!(prompts(&after(&mut call, Input::Timeout)), ["goodbye"]);
    assert_eq!(after(&mut call, Input::Played), [Output::HangUp]);
}

#[test]
fn whatever_happens_in_whatever_order_it_ends_when_the_caller_has_gone() {
    let applications = [
        Application::Echo,
        Application::Clock,
        Application::Announcement("a.wav".into()),
        Application::Listen(None),
        Application::Listen(Some("1002".into())),
        Application::Leave("1002".into()),
    ];
    let inputs = || {
        let keys = "0123*#".chars().map(Input::Key);
        let recorded = [0, 5].map(|secs| Input::Recorded(Duration::from_secs(secs)));
        let found = [Some(mailbox()), None].map(Input::Mailbox);
        let others = [Input::Begin, Input::Played, Input::Timeout, Input::Done(true), Input::Done(false)];
        keys.chain(recorded).chain(found).chain(others).collect::<Vec<_>>()
    };
    let inputs = inputs();
    let mut random = 1_u64;
    for round in 0..3000 {
        let mut call = Call::new(applications[round % applications.len()].clone(), Limits::default());
        for _ in 0..40 {
            // Knuth's numbers are random enough to get everywhere.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            after(&mut call, inputs[(random >> 33) as usize % inputs.len()].clone());
        }
        let mut asked = after(&mut call, Input::HungUp);
        for _ in 0..3 {
            if asked.contains(&Output::StopRecording) {
                asked = after(&mut call, Input::Recorded(Duration::from_secs(5)));
            } else if asked.iter().any(|output| matches!(output, Output::Keep(_))) {
                asked = after(&mut call, Input::Done(true));
            }
        }
        // A recording that was being measured or kept when he went has its answer still to come.
        for input in [Input::Recorded(Duration::ZERO), Input::Done(true)] {
            after(&mut call, input);
        }
        assert!(call.is_over(), "{call:?}");
    }
}
