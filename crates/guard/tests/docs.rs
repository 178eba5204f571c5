//! The documentation of the guard says what the guard does.

use selsius_guard::policy::Rules;
use selsius_inspect::guard::{FindingKind, Policy, Preset};

const PAGE: &str = include_str!("../../../docs/guard.md");

#[test]
fn every_finding_has_its_row() {
    let actions = |kind| [Preset::Balanced, Preset::Strict].map(|preset| preset.action(kind));
    for kind in FindingKind::ALL {
        let [balanced, strict] = actions(kind);
        let row =
            format!("| `{kind}` | {} | {balanced} | {strict} | {} |", kind.severity(), kind.reason().trim());
        assert!(PAGE.contains(&row), "docs/guard.md lacks: {row}");
    }
}

#[test]
fn the_policy_that_is_shown_has_the_defaults_that_it_names() {
    let shown = PAGE.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let rules = Rules::parse(shown).unwrap();
    let plain = Policy::default();
    assert_eq!((rules.policy.limits, rules.policy.block), (plain.limits, plain.block));
}
