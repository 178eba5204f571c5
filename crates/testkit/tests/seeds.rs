//! Short runs of the test bed, on every test run; the long one is `examples/bed.rs`.

use selsius_testkit::{Users, run};

#[test]
fn random_users_never_confuse_the_exchange() {
    for seed in 0..8 {
        let users = Users { phones: 8, actions: 1_000, seed, trouble: seed % 2 == 1 };
        let report = run(&users).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.answered > 0 && report.compared > 100, "{report:?}");
        // In every other office audio goes through the manager, and some lines are recorded.
        assert_eq!(report.recordings > 0, seed % 2 == 1, "{report:?}");
    }
}

#[test]
fn a_seed_replays() {
    let users = Users { phones: 6, actions: 500, seed: 77, trouble: true };
    let [first, second] = [(); 2].map(|()| run(&users).unwrap_or_else(|failure| panic!("{failure}")));
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}
