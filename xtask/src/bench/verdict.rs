//! Figures beside their goals.

/// What was wanted and what came of it.
pub(super) struct Verdict(Vec<String>);

impl Verdict {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// A figure that shall be no more than its goal.
    pub(super) fn most(&mut self, what: &str, value: f64, goal: f64) {
        self.note(what, value, "at most", goal, value <= goal);
    }

    /// A figure that shall be no less than its goal.
    pub(super) fn least(&mut self, what: &str, value: f64, goal: f64) {
        self.note(what, value, "at least", goal, value >= goal);
    }

    fn note(&mut self, what: &str, value: f64, bound: &str, goal: f64, met: bool) {
        let word = if met { "met   " } else { "MISSED" };
        self.0.push(format!("{word}  {what:58} {:>9}  {bound} {}", short(value), short(goal)));
    }

    pub(super) fn print(&self) {
        println!("\ngoals, at load {}:", load_average());
        for line in &self.0 {
            println!("{line}");
        }
    }
}

/// So many places as say something.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Processes that wanted to run, on average of the last minute: on a busy machine the times say little.
pub(super) fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed() {
        let mut verdict = Verdict::new();
        verdict.most("cost", 3.0, 3.0);
        verdict.most("cost", f64::NAN, 3.0);
        verdict.least("speed", 2.9, 3.0);
        let words: Vec<_> = verdict.0.iter().map(|line| &line[..6]).collect();
        assert_eq!(words, ["met   ", "MISSED", "MISSED"]);
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0.0, 1.234, 12.34, 1234.5].map(short), ["0", "1.23", "12.3", "1234"]);
    }
}
