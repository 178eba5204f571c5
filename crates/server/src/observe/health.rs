//! Is the manager well? From the figures to what somebody should know.

use jiff::{SignedDuration, Timestamp};
use selsius_store::StoreStatus;

use crate::{
    api::{Health, Problem, ProblemKind},
    core::Metrics,
};

/// How long a crash of the exchange is told of.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// What is wrong. `exchange` is `None` if it does not answer.
pub(super) fn judge(
    exchange: Option<&Metrics>,
    store: &StoreStatus,
    trunks_down: &[String],
    recordings: Option<&str>,
    down: &[&str],
) -> Health {
    let mut problems = Vec::new();
    let mut say = |kind, text| problems.push(Problem { kind, text });
    match exchange {
        None => say(
            ProblemKind::ExchangeSilent,
            "the exchange does not answer: it is being started again, or hangs; the log says more".into(),
        ),
        Some(metrics) => {
            if metrics.stopping {
                say(ProblemKind::Stopping, "the manager is being stopped".into());
            }
            if !metrics.accepting {
                let text = "no connection can be accepted: too few files may be open (LimitNOFILE in the unit, ulimit -n)";
                say(ProblemKind::NotAccepting, text.into());
            }
            if metrics.overloaded {
                let text =
                    "overloaded: new calls are refused until the exchange keeps up, but for emergency calls";
                say(ProblemKind::Overloaded, text.into());
            }
            if let Some(at) = metrics.network.last_crash
                && Timestamp::now().duration_since(at) < RECENT
            {
                let crashes = metrics.network.crashes;
                let text =
                    format!("the exchange crashed at {at:.0} and began again ({crashes} since the start)");
                say(ProblemKind::ExchangeCrashed, text);
            }
        }
    }
    if let Some(failing) = &store.failing {
        let (waiting, capacity, lost) = (store.waiting, store.capacity, store.lost.total());
        let since = Timestamp::from_microsecond(failing.since.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let text = format!(
            "the database takes no records since {since:.0} ({}); {waiting} wait, from {capacity} on they are given up",
            failing.why
        );
        say(ProblemKind::StoreFailing, text);
        if waiting >= capacity {
            say(
                ProblemKind::RecordsLost,
                format!("{lost} records are lost since the start, and more will be"),
            );
        }
    }
    for trunk in trunks_down {
        let text = format!("SIP trunk {trunk} is down: no calls go out over it; the log says why");
        say(ProblemKind::TrunkDown, text);
    }
    if let Some(why) = recordings {
        let text = format!("calls cannot be recorded ({why}); they go on without");
        say(ProblemKind::RecordingFailing, text);
    }
    for service in down {
        let text = format!(
            "{service} has failed by a fault of selsius: start the manager again when that suits you"
        );
        say(ProblemKind::ServiceDown, text);
    }
    let silent = exchange.is_none();
    let blocked = exchange.is_some_and(|metrics| metrics.stopping || !metrics.accepting);
    Health { live: !silent, ready: !silent && !blocked, problems }
}
