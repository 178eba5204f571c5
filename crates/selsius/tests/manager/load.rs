//! `selsius load` against a manager, as a user runs it.

use std::{
    process::{Command, Output, Stdio},
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Lines, Manager, PATIENCE, output, selsius};

fn load(arguments: &[&str]) -> Command {
    let mut command = selsius();
    command.arg("load").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(mut command: Command) -> Output {
    output(command.spawn().unwrap())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A manager that knows as many phones as there are by `--print-site`.
fn manager(folder: &std::path::Path, arguments: &[&str]) -> (Manager, String) {
    let site = ended(load(&[&["--print-site"], arguments].concat()));
    assert!(site.status.success(), "{}", text(&site.stderr));
    let manager = Manager::start(folder, &[]);
    manager.apply(text(&site.stdout));
    let target = manager.sccp.to_string();
    (manager, target)
}

#[test]
fn calls_are_made_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let phones = ["--phones", "20", "--register-rate", "0"];
    let (manager, target) = manager(folder.path(), &phones);
    let page = folder.path().join("report.html");
    let calls =
        ["--call-rate", "20", "--hold", "0.1", "--duration", "1", "--target", &target, "--json", "--report"];
    let run = ended(load(&[&phones[..], &calls, &[page.to_str().unwrap()]].concat()));
    assert_eq!((run.status.code(), text(&run.stderr)), (Some(0), ""), "{}", text(&run.stdout));
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&report["schema"], &report["calls"]["completed"]), (&1.into(), &20.into()));
    assert_eq!((&report["registration"]["registered"], &report["ended"]), (&20.into(), &"finished".into()));
    assert!(std::fs::read_to_string(page).unwrap().contains("digit to ring"));
    assert_eq!(manager.calls().len(), 20, "the manager saw as many");
}

#[test]
fn a_scenario_is_played_and_the_command_line_goes_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    let scenario = "[phones]\ncount = 12\nregister-rate = 0\n[calls]\nrate = 10\nhold = 0\nabandon-after = 0.05\n\
                    mix = { plain = 3, abandoned = 2 }\n[run]\nduration = 3600\n";
    std::fs::write(&file, scenario).unwrap();
    let arguments = ["--scenario", file.to_str().unwrap()];
    let (_manager, target) = manager(folder.path(), &arguments);
    let run = ended(load(&[&arguments[..], &["--duration", "0.5", "--target", &target]].concat()));
    let said = text(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{said}{}", text(&run.stderr));
    assert!(said.contains("calls       5 due in 0.5 s, 5 completed, 0 failed"), "{said}");
    assert!(said.contains("completed: 2 abandoned, 3 plain"), "{said}");
}

#[test]
fn failures_are_told_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let manager = Manager::start(folder.path(), &[]);
    let target = manager.sccp.to_string();
    let run = ended(load(&["--phones", "2", "--patience", "0.2", "--duration", "1", "--target", &target]));
    let said = text(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{said}{}", text(&run.stderr));
    assert!(said.contains("registered  0 of 2") && said.contains("refused by the server"), "{said}");
}

#[test]
fn what_cannot_be_run_is_said_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "[calls]\nrtae = 5\n").unwrap();
    let table: [(&[&str], &str); 8] = [
        (
            &["--target", "192.0.2.1"],
            "selsius load: 192.0.2.1:2000 is not this machine; a load test of somebody",
        ),
        (
            &["--target", "192.0.2.1", "--really", "--call-rate", "500"],
            "selsius load: calls against 192.0.2.1:2000",
        ),
        (&["--phones", "1"], "selsius load: 1 phones that may call are too few: these calls need at least 2"),
        (
            &["--phones", "50", "--first-number", "990"],
            "selsius load: the numbers from 990 to 1039 do not all",
        ),
        (&["--model", "7999"], "selsius load: there is no model `7999`; models are 6901"),
        (&["--scenario", file.to_str().unwrap()], "there is no `rtae` here: did you mean `rate`?"),
        (&["--scenario", "nowhere.toml"], "selsius load: cannot read nowhere.toml: No such file"),
        (&["--report", "/nowhere/x.html"], "selsius load: cannot write /nowhere/x.html: No such file"),
    ];
    for (arguments, message) in table {
        let run = ended(load(arguments));
        let said = text(&run.stderr);
        assert!(run.status.code() == Some(2) && said.contains(message), "{arguments:?}: {said}");
        assert_eq!(text(&run.stdout), "", "{arguments:?}");
    }
    let usage = ended(load(&["--call-rate", "many"]));
    assert_eq!(usage.status.code(), Some(2));
    assert!(text(&usage.stderr).contains("a rate is a number from 0 to 1000000, a second"));
}

#[test]
fn ctrl_c_ends_the_run_in_order_and_the_second_one_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let phones = ["--phones", "4", "--register-rate", "0"];
    let (manager, target) = manager(folder.path(), &phones);
    let calls = ["--call-rate", "100", "--hold", "3600", "--duration", "3600", "--patience", "3600"];
    // Four phones register, and talk until somebody stops them.
    let talking = || {
        let child = load(&[&phones[..], &calls, &["--target", &target]].concat()).spawn().unwrap();
        let end = Instant::now() + PATIENCE;
        while manager.status().calls.iter().filter(|call| call.answered.is_some()).count() < 2 {
            assert!(Instant::now() < end, "{:?}", manager.status());
        }
        child
    };
    let child = talking();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = output(child);
    let said = text(&run.stdout);
    assert!(said.contains("s, interrupted\n") && said.contains("2 completed, 0 failed"), "{said}");
    assert_eq!(run.status.code(), Some(0), "{said}");

    // A manager that stands still keeps the run from its end until patience ends; the second one does not wait.
    let mut child = talking();
    manager.signal(Signal::STOP);
    let (process, mut said) = (Pid::from_child(&child), Lines::of(child.stderr.take().unwrap()));
    kill_process(process, Signal::INT).unwrap();
    assert!(said.find(|line| line.contains("Ctrl-C again ends at once")).is_some());
    kill_process(process, Signal::INT).unwrap();
    let run = output(child);
    manager.signal(Signal::CONT);
    assert_eq!((run.status.code(), text(&run.stdout)), (Some(130), ""));
}
