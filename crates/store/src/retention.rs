//! What is removed for its age, and how: in the background, so that neither records nor questions wait for it.

use std::sync::atomic::Ordering;

use selsius_exchange::record::WallTime;

use crate::{Retention, StoreError, store::Core};

const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// After so many rounds the log is moved into the database, and a restore may come between.
const ROUNDS: usize = 50;

/// Removes all that is not to be kept at `now`, unless the store is closed meanwhile; says how many calls and events that
/// were.
pub(crate) async fn remove_old(
    core: &Core,
    Retention { days, calls }: Retention,
    now: WallTime,
) -> Result<u64, StoreError> {
    let age = days.map(|days| i64::from(days).saturating_mul(DAY_US));
    let oldest = WallTime(age.map_or(i64::MIN, |age| now.0.saturating_sub(age)));
    let mut removed = 0;
    loop {
        let _alone = core.restoring.lock().await;
        let highest = match calls {
            Some(keep) => core.database.read().await.beyond(keep).await?,
            None => 0,
        };
        let before = removed;
        for _ in 0..ROUNDS {
            if core.closing.load(Ordering::Relaxed) {
                return Ok(removed);
            }
            match core.database.read().await.remove_some(oldest, highest).await? {
                0 => break,
                some => removed += some,
            }
        }
        if removed == before {
            return Ok(removed);
        }
        core.database.read().await.checkpoint().await?;
    }
}
