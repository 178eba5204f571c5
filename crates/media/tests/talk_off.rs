//! Speech is not taken for keys.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    reason = "helpers of tests, outside of any test function"
)]

mod speech;

use selsius_media::tone::detect::DtmfDetector;
use selsius_media::{Digit, Law, Tone, ToneGenerator};
use speech::{loudness, say};

/// Vowels of all kinds, long and short, and much of what sounds like whistling.
const TEXT: &str = "We were away a year ago. Are you all ready, Mary? See how the moon shines over the blue lagoon. \
    Who knew you too would choose to lose your shoes? Eeny meeny miny moe, ooh, aah, eee, oh no, you owe me a new yellow yoyo. \
    Lily really early rowed a yawl along a low wall. One, two, three, four, five, six, seven, eight, nine, zero, hash, star. \
    Hello, this is the answering machine of the family Miller. Nobody is at home, so leave a message after the tone, please.";
const GERMAN: &str = "Guten Tag, hier ist der Anrufbeantworter der Familie Müller. Wir sind über Ostern in Österreich, und rufen zurück. \
    Sieben süße Krüge mit schönem kühlem Bier. Eins, zwei, drei, vier, fünf, sechs, sieben, acht, neun, null. Uhu, Auo, ieh, ööh, üüh.";

#[test]
fn minutes_of_speech_have_no_keys_in_them() {
    let voices = [
        "en-us+f1",
        "en-us+f2",
        "en-gb+f3",
        "en-us+f5",
        "en-gb",
        "en-us+m1",
        "en-us+m3",
        "en-gb+m7",
        "en-us+croak",
        "en-gb+whisper",
    ];
    let german = ["de", "de+f2", "de+f4", "de+m5"];
    let said = voices.iter().map(|&voice| (voice, TEXT)).chain(german.iter().map(|&voice| (voice, GERMAN)));
    if !speech::are_there() {
        return;
    }
    let (mut seconds, mut heard) = (0, 0);
    for (voice, text) in said {
        // Speeds and pitches.
        for (speed, pitch) in [(160, 40), (200, 90)] {
            let voice_name = format!("talk-off-{voice}-{speed}-{pitch}");
            let mut sound = speech::say_as(&voice_name, voice, text, 8000, speed, pitch);
            loudness(&mut sound);
            seconds += sound.len() / 8000;
            let mut codes = Vec::new();
            let mut through = Vec::new();
            Law::A.encode(&sound, &mut codes);
            Law::A.decode(&codes, &mut through);
            let found = DtmfDetector::new().push(&through);
            if !found.is_empty() {
                eprintln!("{voice} {speed} {pitch}: {found:?}");
            }
            heard += found.len();
        }
    }
    eprintln!("{heard} keys in {seconds} seconds of speech");
    assert!(seconds > 600);
    assert_eq!(heard, 0);
}

/// Keys are heard through a voice that goes on behind them, as over a telephone that does not mute its microphone.
#[test]
fn keys_are_heard_while_somebody_speaks_softly() {
    if !speech::are_there() {
        return;
    }
    let mut sound = say("talk-on", "en-us+f3", TEXT, 8000);
    loudness(&mut sound);
    sound.iter_mut().for_each(|sample| *sample /= 8);
    let mut heard = String::new();
    let mut detector = DtmfDetector::new();
    for (char, behind) in "0123456789*#ABCD".chars().zip(sound[8000..].chunks_exact(1200)) {
        let mut samples = vec![0; 1200];
        ToneGenerator::new(Tone::digit(Digit::from_char(char).unwrap(), 80)).fill(&mut samples);
        samples.iter_mut().zip(behind).for_each(|(sample, &behind)| *sample += behind);
        heard.extend(detector.push(&samples).into_iter().map(Digit::as_char));
    }
    assert_eq!(heard, "0123456789*#ABCD");
}
