//! Many phones that do the same at once, and connections that are no phones.

use selsius_wire::Time;

use super::{Act, CallKey, Director, Role};
use crate::{StormKind, plan::MOST_HALF_OPEN, schedule::Schedule};

impl Director {
    pub(super) fn storm(&mut self, now: Time, index: usize) {
        let Some(storm) = self.plan.storms.get(index).copied() else { return };
        let most = storm.count.unwrap_or(u32::MAX) as usize;
        match storm.kind {
            StormKind::DropAndReturn => {
                let back = Schedule::new(now + storm.back_after, storm.rate);
                let online =
                    self.desks.iter_mut().zip(0..).filter(|(desk, _)| desk.online && desk.role != Role::Deaf);
                for ((desk, phone), place) in online.take(most).zip(0..) {
                    desk.back_at = Some(back.due(place));
                    self.todo.push_back((phone, Act::Drop));
                }
            }
            StormKind::SlowReaders => {
                // Those at the end of the row: they were used last, and are missed least.
                for _ in 0..most {
                    let Some((_, phone)) = self.free.pop_back() else { return };
                    let Some(desk) = self.desks.get_mut(phone as usize) else { continue };
                    desk.pooled = false;
                    if desk.online {
                        desk.role = Role::Deaf;
                        self.tally.strangers.slow_readers += 1;
                        self.todo.push_back((phone, Act::Deafen));
                    }
                }
            }
            StormKind::HalfOpen => {
                for _ in 0..storm.count.unwrap_or(MOST_HALF_OPEN).min(MOST_HALF_OPEN) {
                    self.todo.push_back((0, Act::HalfOpen));
                }
            }
        }
    }

    /// A storm took a phone of this call: that is no failure of the server.
    pub(super) fn cut(&mut self, now: Time, key: CallKey) {
        self.tally.cut += 1;
        self.let_go(now, key);
    }
}
