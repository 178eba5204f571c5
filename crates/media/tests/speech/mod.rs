//! Speech, by espeak-ng, and what FFmpeg makes of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use selsius_media::Level;

/// What is said: vowels and hisses of a woman and of a man.
const TEXT: &str =
    "She had your dark suit in greasy wash water all year. Please leave a message after the tone.";

fn is_there(program: &str, version: &str) -> bool {
    let mut command = Command::new(program);
    let run = command.arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if run.is_err() {
        eprintln!("skipped: {program} is not installed");
    }
    run.is_ok()
}

/// Whether both programs are installed; says so if not.
pub(crate) fn are_there() -> bool {
    is_there("espeak-ng", "--version") && is_there("ffmpeg", "-version")
}

fn output(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What FFmpeg makes of `input`; the first arguments say what that is, the others what it shall become.
pub(crate) fn ffmpeg(name: &str, input: &[u8], from: &[&str], to: &[&str]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, input).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]).args(from).arg("-i").arg(&path).args(to).arg("pipe:1");
    output(command)
}

pub(crate) fn pcm(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

pub(crate) fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes)).collect()
}

/// Speech at this rate, as loud as speech on the telephone is; `None` if there is nobody to say or code it.
pub(crate) fn speech(name: &str, rate: u32) -> Option<Vec<i16>> {
    if !are_there() {
        return None;
    }
    let mut said = ["en-us+f3", "en-gb"].map(|voice| say(name, voice, TEXT, rate)).concat();
    loudness(&mut said);
    // Whole packets.
    said.truncate(said.len() / 960 * 960);
    Some(said)
}

/// A voice says a text. Both programs have to be there.
pub(crate) fn say(name: &str, voice: &str, text: &str, rate: u32) -> Vec<i16> {
    say_as(name, voice, text, rate, 175, 50)
}

/// The same with so many words a minute, and a pitch between 0 and 99.
pub(crate) fn say_as(name: &str, voice: &str, text: &str, rate: u32, speed: u32, pitch: u32) -> Vec<i16> {
    let mut command = Command::new("espeak-ng");
    let (speed, pitch) = (speed.to_string(), pitch.to_string());
    command.args(["--stdout", "-v", voice, "-s", &speed, "-p", &pitch, text]);
    let wav = output(command);
    samples(&ffmpeg(name, &wav, &[], &["-ac", "1", "-ar", &rate.to_string(), "-f", "s16le"]))
}

/// As loud as speech on the telephone is: -16 dBm0.
pub(crate) fn loudness(said: &mut [i16]) {
    let gain = 10f64.powf((-16.0 - f64::from(Level::of(said).as_dbm0())) / 20.0);
    said.iter_mut().for_each(|sample| *sample = (f64::from(*sample) * gain) as i16);
}
