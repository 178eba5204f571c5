//! How many files the process may have open: each phone's connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

/// The system does not allow as many open files as the run needs.
#[derive(Debug, Error)]
#[error(
    "the run needs {needed} open files, and this process may have {allowed}; run fewer phones, or allow more as root: \
     `prlimit --pid $$ --nofile={needed}` in this shell, LimitNOFILE= in a unit, nofile in /etc/security/limits.conf"
)]
pub struct LimitError {
    needed: u64,
    allowed: u64,
}

/// Makes room for `needed` files, as far as the system allows it without privileges.
///
/// # Errors
/// If that is not enough.
pub fn raise_open_files(needed: u64) -> Result<(), LimitError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None means that there is no limit.
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let allowed = maximum.unwrap_or(needed.max(1 << 20));
    if allowed < needed {
        return Err(LimitError { needed, allowed });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum })
        .map_err(|_| LimitError { needed, allowed: current.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_hard_limit_is_refused_and_up_to_it_is_taken() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let Some(maximum) = maximum else { return };
        raise_open_files(maximum).unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(maximum));
        let error = raise_open_files(maximum + 1).unwrap_err().to_string();
        assert!(error.contains(&format!("needs {} open files", maximum + 1)), "{error}");
    }
}
