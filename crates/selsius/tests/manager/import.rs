//! Offices out of tables and out of another manager's configuration.

use std::{fs, process::Command};

use crate::support::{Manager, fails, selsius};

fn import(arguments: &[&str]) -> Command {
    let mut command = selsius();
    command.args(["site", "import"]).args(arguments);
    command
}

/// What a command that succeeds prints on standard output and standard error.
fn said(mut command: Command) -> [String; 2] {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{said:?}");
    said
}

#[test]
fn a_table_is_applied_on_top_of_the_office() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    let path = |name: &str| top.path().join(name).to_str().unwrap().to_owned();
    let (office, table) = (path("office.toml"), path("phones.csv"));
    fs::write(&office, "[settings]\nname = \"Mill\"\n[lines.1001]\nname = \"Old\"\nring = \"silent\"\n")
        .unwrap();
    manager.ask(&["site", "apply", &office]);

    let [template, _] = said(import(&["--template"]));
    fs::write(&table, &template).unwrap();
    let dry = manager.ask(&["site", "import", "--apply", "--dry-run", &table]);
    assert!(dry.contains("+ device SEP001BD5123456") && dry.contains("would apply"), "{dry}");
    assert_eq!(manager.status().devices.len(), 0);
    let applied = manager.ask(&["site", "import", "--apply", &table]);
    assert!(applied.contains("~ line 1001 name: \"Old\" -> \"Reception\""), "{applied}");
    assert_eq!(manager.status().devices.len(), 2);
    let exported = manager.ask(&["site", "export"]);
    assert!(exported.contains("name = \"Mill\"") && exported.contains("ring = \"silent\""), "the rest stays");

    // A fault anywhere changes nothing.
    fs::write(&table, "mac,line1\n001BD5123458,1003\n001BD5123459,10o4\n").unwrap();
    let mut faulty = import(&["--apply", "--data-dir", manager.data_dir.to_str().unwrap(), &table]);
    faulty.env_remove("SELSIUS_DATA_DIR");
    let error = fails(faulty);
    assert!(error.contains("phones.csv:3:14: line1: contains 'o'"), "{error}");
    assert_eq!(manager.status().devices.len(), 2);
    manager.stop();
}

#[test]
fn a_sccp_conf_becomes_a_site_file() {
    let top = tempfile::tempdir().unwrap();
    let path = |name: &str| top.path().join(name).to_str().unwrap().to_owned();
    let (conf, site) = (path("sccp.conf"), path("site.toml"));
    fs::write(
        &conf,
        "[SEP001BD5123456]\ntype = device\ndevicetype = 7960\nbutton = line, 1001\ndtmfmode = inband\n\
         [1001]\ntype = line\ncid_name = Alice\n",
    )
    .unwrap();
    let [changes, left] = said(import(&["--dry-run", &conf]));
    assert_eq!(
        changes,
        "+ line 1001 \"Alice\"\n+ device SEP001BD5123456 7960 line 1001\nwould write 2 changes\n"
    );
    assert_eq!(
        left,
        "line 5: dtmfmode: selsius has no such setting\n1 device, 1 line; 1 setting could not be taken over\n"
    );
    said(import(&["--output", &site, &conf]));
    let written = fs::read_to_string(&site).unwrap();
    let read = selsius_site::Site::from_toml("site.toml", &written).unwrap();
    assert_eq!(read.lines[&"1001".parse().unwrap()].name, "Alice");
    assert!(fails(import(&["--output", &site, &conf])).contains("exists already"));
    let other = path("phones.txt");
    fs::write(&other, "").unwrap();
    assert!(fails(import(&[&other])).contains("say what it is with --format"));
}
