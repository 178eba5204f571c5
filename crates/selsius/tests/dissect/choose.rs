//! Filters, and the packets that they leave.

use std::process::Command;

use crate::support::{dissect, shared};

#[test]
fn a_filter_chooses_messages() {
    let Some(capture) = shared("callmanager-4.1-7912.pcapng") else { return };
    let lines = |filter: &str| dissect(&["--format", "json", "--filter", filter, &capture]).json();
    let states = lines("name == CallState && fields.call_state == Connected");
    assert_eq!(states.len(), 1);
    assert_eq!(states[0]["fields"]["call_state"], "Connected");
    assert_eq!(lines("fields.state == Connected").len(), 1);
    let (station, manager) = (lines("from == station").len(), lines("from == manager").len());
    assert_eq!(station + manager, 65);
    assert_eq!(lines("device =~ \"SEP0013.*\"").len(), 65);
    assert_eq!(lines("device =~ \"SEP00F.*\"").len(), 0);
    assert_eq!(lines("after > 100000").len(), 1, "OpenReceiveChannelAck took 145 ms");
}

#[test]
fn a_wrong_filter_is_pointed_at() {
    let ran = dissect(&["--filter", "from == station && name == CalState", "x.pcap"]);
    assert_eq!(ran.code, Some(2));
    let pointed = "no message is called CalState: did you mean CallState?\n  \
                   from == station && name == CalState\n                             ^^^^^^^^\n";
    assert!(ran.err.contains(pointed), "{}", ran.err);
}

#[test]
fn what_was_chosen_is_written() {
    let Some(capture) = shared("callmanager-4.1-7912.pcapng") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chosen.pcapng");
    let path = path.to_str().unwrap();
    let shown = dissect(&["--filter", "name == SoftKeySet || call", "--write", path, &capture]).good();
    // The written file shows the same messages, with other packet numbers; and others that share a packet with them.
    let again = dissect(&["--filter", "name == SoftKeySet || call", path]).good();
    let messages = |text: &str| -> Vec<String> {
        text.lines()
            .skip(1)
            .filter_map(|line| line.split_once("── v"))
            .map(|(_, rest)| rest[2..].trim().into())
            .collect()
    };
    let stripped: Vec<_> =
        messages(&shown).iter().map(|line| line.split("  (").next().unwrap().to_owned()).collect();
    let stripped_again: Vec<_> =
        messages(&again).iter().map(|line| line.split("  (").next().unwrap().to_owned()).collect();
    assert_eq!(stripped, stripped_again);
    let Ok(output) = Command::new("tshark").args(["-r", path, "-Y", "_ws.malformed"]).output() else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    dissect(&["--call", "1", "--write", path, &capture]).good();
    let summary = dissect(&["--format", "summary", path]).good();
    assert!(summary.contains("PCMU  1492     0 ") && summary.contains("PCMU  1489     0 "), "{summary}");
}

#[test]
fn the_capture_itself_is_not_overwritten() {
    let Some(capture) = shared("cucm-v20-call.pcap") else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.pcap");
    std::fs::copy(capture, &copy).unwrap();
    let length = copy.metadata().unwrap().len();
    let copy_name = copy.to_str().unwrap();
    for option in ["--write", "--output"] {
        let ran = dissect(&[copy_name, option, copy_name]);
        assert_eq!((ran.code, copy.metadata().unwrap().len()), (Some(1), length), "{}", ran.err);
    }
}

#[test]
fn a_call_can_be_heard() {
    let Some(capture) = shared("callmanager-4.1-7912.pcapng") else { return };
    let folder = tempfile::tempdir().unwrap();
    let ran = dissect(&["--export-audio", folder.path().to_str().unwrap(), &capture]);
    let path = folder.path().join("call-1-1003-1012.wav");
    let expected = format!("{}: 29.8 s\n", path.display());
    assert_eq!((ran.code, ran.err), (Some(0), expected));
    let mut wav = hound::WavReader::open(path).unwrap();
    assert_eq!((wav.spec().channels, wav.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    let loud = |side: usize| samples.iter().skip(side).step_by(2).filter(|sample| sample.abs() > 200).count();
    // The caller is silent throughout, the called one talks.
    assert!(
        samples.iter().step_by(2).all(|sample| *sample == 0) && loud(1) > 30_000,
        "{} {}",
        loud(0),
        loud(1)
    );

    let Some(capture) = shared("chan-sccp-v17-call.pcap") else { return };
    dissect(&["--export-audio", folder.path().to_str().unwrap(), "--call", "1", &capture]);
    let mut wav = hound::WavReader::open(folder.path().join("call-1-1001-1002.wav")).unwrap();
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    // A tone from each, 75 packets long, though the manager sits in between and every packet passes twice.
    assert!((11_900..12_300).contains(&(samples.len() / 2)), "{}", samples.len());
    for side in [0, 1] {
        assert!(samples.iter().skip(side).step_by(2).filter(|sample| **sample != 0).count() > 11_000);
    }
}
