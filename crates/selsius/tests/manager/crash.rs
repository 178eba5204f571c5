//! What survives: a process that is killed, a disk that is full.

use std::{fs, path::Path, process::Command};

use selsius_station::Action;

use crate::support::{Manager, OFFICE, Pair, fails, serve, skipped, until};

#[test]
fn after_a_kill_the_site_is_whole_and_calls_are_interrupted() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (exported, manager) = runtime.block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        // Reading settles what was recorded until now.
        assert_eq!(manager.calls().len(), 0);
        let exported = manager.ask(&["site", "export"]);
        manager.kill();
        (exported, ())
    });
    let () = manager;
    assert!(top.path().join("admin.sock").exists(), "nobody was there to remove it");

    let mut manager = Manager::start(top.path(), &[]);
    manager.log.find(|line| line.contains("1 call closed as interrupted")).unwrap();
    assert_eq!(manager.ask(&["site", "export"]), exported);
    let calls = manager.calls();
    assert_eq!((calls.len(), calls[0].cause.as_str()), (1, "interrupted"), "{calls:?}");
    manager.stop();
}

/// A file system of some hundred kilobytes, unmounted when it is dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mut command = Command::new("mount");
        let mounted = command.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at)),
            Ok(output) => {
                skipped(&format!(
                    "cannot mount a small disk: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                ));
                None
            }
            Err(error) => {
                skipped(&format!("cannot mount a small disk: {error}"));
                None
            }
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
fn a_start_on_a_full_disk_says_what_to_do() {
    let top = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(top.path()) else { return };
    let _ = fs::write(top.path().join("filler"), vec![0; 4 << 20]);
    let said = fails(serve(&top.path().join("data")));
    assert!(said.contains("make room where the data directory is"), "{said}");
    fs::remove_file(top.path().join("filler")).unwrap();
    Manager::start(&top.path().join("data"), &[]).stop();
    // Now there is a database, and no room for the log beside it.
    let _ = fs::write(top.path().join("filler"), vec![0; 4 << 20]);
    let said = fails(serve(&top.path().join("data")));
    assert!(said.contains("no room is left on the disk; make room"), "{said}");
}

#[test]
fn a_full_disk_changes_nothing_and_calls_go_on() {
    let top = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(top.path()) else { return };
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    // Fills what is left.
    let filler = top.path().join("filler");
    let _ = fs::write(&filler, vec![0; 4 << 20]);
    let site = tempfile::NamedTempFile::new().unwrap();
    let many: String =
        (2000..9000).map(|number| format!("[lines.{number}]\nname = \"Number {number}\"\n")).collect();
    fs::write(&site, format!("{OFFICE}{many}")).unwrap();
    let said = fails(manager.command(&["site", "apply", site.path().to_str().unwrap()]));
    assert!(said.contains("no room is left"), "{said}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        pair.alice.act(Action::OnHook).await.unwrap();
        until(&mut pair.alice, |now| now.face.calls.is_empty()).await;
    });
    fs::remove_file(&filler).unwrap();
    assert_eq!(manager.calls().len(), 1, "records wait until there is room again");
    assert!(manager.ask(&["site", "export"]).contains("\"Alice\""));
    assert_eq!(manager.status().devices.len(), 2);
    manager.stop();
}
