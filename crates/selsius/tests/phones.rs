//! `selsius phone --script` against `selsius serve`: separate processes, real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

const SITE: &str = r#"
[lines.1001]
name = "Alice"
[lines.1002]
name = "Bob"
[lines.1003]
name = "Carol"
[devices.SEP020000001003]
buttons = [{ line = "1003" }]
[devices.SEP020000001001]
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
buttons = [{ line = "1002" }]
background = "Desktops/320x212x16/Logo.png"
ring-tone = "Chime.raw"
"#;

/// A manager that runs, killed at the end.
struct Manager {
    child: Child,
    folder: TempDir,
    sccp: String,
    tftp: String,
}

impl Manager {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site.toml");
        fs::write(&site, SITE).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_selsius"))
            .args(["serve", "--sccp", "127.0.0.1:0", "--tftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .arg("--site")
            .arg(site)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("selsius ready: ")).unwrap();
        let after = |word| ready.split(' ').skip_while(|found| *found != word).nth(1).unwrap().to_owned();
        let (sccp, tftp) = (after("sccp"), after("tftp"));
        Self { child, folder, sccp, tftp }
    }

    fn phone(&self, arguments: &[&str], script: &str) -> Phone {
        let file = self.script(arguments, script);
        let mut child = Command::new(env!("CARGO_BIN_EXE_selsius"))
            .arg("phone")
            .args(if arguments.contains(&"--server") { vec![] } else { vec!["--server", &self.sccp] })
            .args(arguments)
            .arg("--script")
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Phone { child, out, text: String::new() }
    }

    fn script(&self, arguments: &[&str], script: &str) -> PathBuf {
        let name: String = arguments.join("-").chars().filter(char::is_ascii_alphanumeric).collect();
        let file = self.folder.path().join(format!("{name}.script"));
        fs::write(&file, script).unwrap();
        file
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A phone that runs its script.
struct Phone {
    child: Child,
    out: BufReader<ChildStdout>,
    text: String,
}

impl Phone {
    /// Waits until it prints a line with this text.
    fn until(&mut self, text: &str) {
        while !self.text.contains(text) {
            let read = self.out.read_line(&mut self.text).unwrap();
            assert!(read > 0, "`{text}` did not come, but\n{}", self.text);
        }
    }

    /// Its exit code, and all that it printed.
    fn finished(mut self) -> (Option<i32>, String) {
        self.out.read_to_string(&mut self.text).unwrap();
        let output = self.child.wait_with_output().unwrap();
        self.text += &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), self.text)
    }
}

#[test]
fn two_phones_call_each_other() {
    let manager = Manager::start();
    let heard = manager.folder.path().join("heard.wav");
    let bob = format!(
        "register
         expect background /Desktops/320x212x16/Logo.png
         expect ring-tone /Chime.raw
         print Bob is there
         record {}
         play tone 1000
         wait ringing 30s
         expect caller 1001
         expect caller-name Alice
         expect lamp 1 blink
         expect soft-key Answer
         press Answer
         wait connected
         expect audio 440 within 10s
         expect packets 20
         wait idle 30s
         expect audio none",
        heard.display()
    );
    let mut bob = manager.phone(&["--name", "SEP020000001002", "--model", "7965"], &bob);
    bob.until("Bob is there");
    let alice = "
        play tone 440
        wait registered
        expect prompt options
        off-hook
        wait dialtone
        expect lamp 1 on
        dial 1002
        wait ringback
        expect called-name Bob
        wait connected
        expect not dialtone
        expect audio 1000 within 10s
        expect packets 20
        pause 300ms
        print display
        hang-up
        wait idle
        unregister
        wait unregistered
    ";
    let alice = manager.phone(&["--name", "SEP020000001001", "--trace"], alice);
    let ((alice, said), (bob, also_said)) = (alice.finished(), bob.finished());
    assert_eq!((alice, bob), (Some(0), Some(0)), "{said}\n{also_said}");
    let shown =
        ["call    * connected to Bob (1002)", "1000 Hz, -10 dBm0", "── KeypadButton 2 ──", "  wait ringback"];
    for text in shown {
        assert!(said.contains(text), "`{text}` is missing in\n{said}");
    }
    let heard = fs::metadata(heard).unwrap().len();
    assert!(heard > 4_000, "{heard} bytes recorded");
}

#[test]
fn a_phone_finds_its_manager_by_tftp() {
    let manager = Manager::start();
    // There is no manager where --server says, only where the file says.
    let tftp = format!("--tftp={}", manager.tftp);
    let arguments = ["--server", "127.0.0.1:1", &tftp, "--name", "SEP020000001001"];
    let (code, text) = manager.phone(&arguments, "register\nprint display").finished();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("registered at {}", manager.sccp)), "{text}");
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let manager = Manager::start();
    let table: [(&[&str], &str, i32, &[&str]); 5] = [
        (
            &["--name", "SEP020000001001"],
            "off-hook\nexpect prompt Nonsense within 100ms",
            1,
            &[
                ":2: `expect prompt Nonsense within 100ms` failed",
                "expected: a prompt with \"Nonsense\" within 100ms",
                "the phone shows:",
                "tone inside dial",
            ],
        ),
        (&["--name", "SEP020000001001"], "register\nwait for-ever", 2, &[":2: there is no state `for-ever`"]),
        (
            &["--name", "SEP02000000FFFF"],
            "register",
            3,
            &["expected: the manager takes the phone, but it said: "],
        ),
        (
            &["--server", "127.0.0.1:1", "--name", "SEP020000001001"],
            "wait registered 300ms",
            3,
            &["the phone is registered within 300ms", "cannot connect to 127.0.0.1:1: "],
        ),
        (
            &["--name", "SEP020000001002", "--model", "7999"],
            "",
            2,
            &["there is no model `7999`; models are "],
        ),
    ];
    for (arguments, script, expected, texts) in table {
        let (code, text) = manager.phone(arguments, script).finished();
        assert_eq!(code, Some(expected), "{text}");
        for part in texts {
            assert!(text.contains(part), "`{part}` is missing in\n{text}");
        }
    }
}

#[test]
fn without_a_terminal_the_phone_says_what_to_do() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_selsius")).arg("phone").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("there is no terminal") && text.contains("--script FILE"), "{text}");
}

#[test]
fn a_conference_is_seen_on_the_screen_and_somebody_put_out() {
    let manager = Manager::start();
    let answer = |name: &str, rest: &str| {
        let script = format!("register\nprint there\nwait ringing 30s\npress Answer\nwait connected\n{rest}");
        let mut phone = manager.phone(&["--name", name, "--model", "7965"], &script);
        phone.until("there");
        phone
    };
    let bob = answer("SEP020000001002", "wait idle 30s");
    let carol = answer("SEP020000001003", "wait idle 30s\nprint put out");
    let alice = "
        register
        dial 1002
        wait connected
        press Confrn
        wait dialtone
        dial 1003
        expect called-name Carol within 10s
        press Confrn
        expect soft-key ConfList within 10s
        press ConfList
        expect screen \"● Carol (1003)\"
        print display
        choose \"Carol (1003)\"
        expect screen Remove
        choose Remove
        expect not soft-key ConfList within 10s
        leave-screen
        expect not screen Carol
        hang-up
        wait idle
    ";
    let alice = manager.phone(&["--name", "SEP020000001001", "--model", "7965"], alice);
    let [alice, bob, carol] = [alice, bob, carol].map(Phone::finished);
    assert_eq!((alice.0, bob.0, carol.0), (Some(0), Some(0), Some(0)), "{}\n{}\n{}", alice.1, bob.1, carol.1);
    for text in [
        "screen  Conference",
        "item    ★ Alice (1001)",
        "item    ● Bob (1002)",
        "choice  Select | Update | Exit",
    ] {
        assert!(alice.1.contains(text), "`{text}` is missing in\n{}", alice.1);
    }
}
