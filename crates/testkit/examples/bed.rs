//! The test bed's long run: `cargo run --release -p selsius-testkit --example bed -- --actions 10000000`.
//!
//! Runs seeds one after the other on as many threads as there are cores, and stops at the first violated invariant.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use selsius_testkit::{Failure, Report, Users, run};

/// Actions of one seed.
const PER_SEED: u64 = 20_000;

fn main() -> ExitCode {
    let mut actions = 1_000_000_u64;
    let mut seed = None;
    let mut phones = 8;
    let mut trouble = true;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number =
            |arguments: &mut dyn Iterator<Item = String>| arguments.next().and_then(|n| n.parse().ok());
        let taken = match argument.as_str() {
            "--actions" => number(&mut arguments).map(|number| actions = number),
            "--seed" => number(&mut arguments).map(|number| seed = Some(number)),
            "--phones" => number(&mut arguments).map(|number| phones = number as usize),
            "--no-trouble" => {
                trouble = false;
                Some(())
            }
            _ => None,
        };
        if taken.is_none() {
            eprintln!("usage: bed [--actions N] [--seed S] [--phones N] [--no-trouble]");
            return ExitCode::from(2);
        }
    }
    let started = Instant::now();
    let outcome = match seed {
        Some(seed) => run(&Users { phones, actions: PER_SEED, seed, trouble }),
        None => all(actions, phones, trouble),
    };
    match outcome {
        Ok(report) => {
            let seconds = started.elapsed().as_secs_f64();
            println!(
                "test bed: {} actions, {} calls ({} answered, {} recordings), {} messages, phones compared {} times, in {seconds:.1} s: \
                 {:.0} actions per second",
                report.actions,
                report.calls,
                report.answered,
                report.recordings,
                report.messages,
                report.compared,
                report.actions as f64 / seconds,
            );
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn all(actions: u64, phones: usize, trouble: bool) -> Result<Report, Box<Failure>> {
    let seeds = actions.div_ceil(PER_SEED);
    let next = AtomicU64::new(0);
    let total = Mutex::new(Ok(Report::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let outcome = run(&Users { phones, actions: PER_SEED, seed, trouble });
                    let mut total = total.lock().expect("no thread panics while it holds the total");
                    match (&mut *total, outcome) {
                        (Ok(total), Ok(report)) => add(total, report),
                        (Ok(_), Err(failure)) => {
                            *total = Err(failure);
                            next.store(seeds, Ordering::Relaxed);
                        }
                        (Err(_), _) => return,
                    }
                    if seed % 50 == 49 {
                        eprintln!("{} of {seeds} seeds", seed + 1);
                    }
                }
            });
        }
    });
    total.into_inner().expect("no thread panicked")
}

fn add(total: &mut Report, report: Report) {
    total.actions += report.actions;
    total.calls += report.calls;
    total.answered += report.answered;
    total.messages += report.messages;
    total.recordings += report.recordings;
    total.compared += report.compared;
}
