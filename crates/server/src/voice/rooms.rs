//! The rooms that somebody is in: what [`Room`] says is told to the calls, and to operators who is where.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::Timestamp;
use selsius_exchange::record::Party;
use selsius_media::engine::BridgeId;
use selsius_voice::{Act, MemberId, Notice, Role, Room, Rules, Stay};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::tries::Tries;
use crate::core::{self, Command, News};

/// Notices that may wait for one call. One that does not keep up is out.
const NOTICES: usize = 256;
/// Bridges from here on are rooms: those of the exchange have 32 bits.
const FIRST_BRIDGE: u64 = 1 << 32;

/// A room, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomStatus {
    /// Its number.
    pub number: String,
    /// Has its moderator locked it?
    pub locked: bool,
    /// The first who came first.
    pub members: Vec<MemberStatus>,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its name; no two have the same.
    pub id: u32,
    /// Who calls.
    pub who: Party,
    /// Since when.
    pub since: Timestamp,
    /// What it may do.
    pub role: Role,
    /// Where it is.
    pub stay: Stay,
    /// Is it not heard?
    pub muted: bool,
    /// Is it the one who talks?
    pub talking: bool,
}

/// What an operator wants of somebody in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intervention {
    /// That others do not hear him, or do again.
    Mute(bool),
    /// That he goes.
    PutOut,
}

/// The rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// By number; somebody is in each, or at its door.
    open: Mutex<BTreeMap<String, Open>>,
    /// Names of members and of bridges are not used twice.
    next: AtomicU32,
    wrong: Tries,
    exchange: core::Handle,
}

#[derive(Debug)]
struct Open {
    room: Room,
    bridge: BridgeId,
    /// Those in it, and those who are told that they may not come in.
    callers: BTreeMap<MemberId, Caller>,
}

#[derive(Debug)]
struct Caller {
    tell: mpsc::Sender<Notice>,
    who: Party,
    since: Timestamp,
    talking: bool,
}

/// A call's way into its room. It leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Inside {
    rooms: Arc<Rooms>,
    number: String,
    id: MemberId,
    pub(super) bridge: BridgeId,
    pub(super) notices: mpsc::Receiver<Notice>,
}

impl Rooms {
    pub(super) fn new(exchange: core::Handle) -> Self {
        Self { open: Mutex::default(), next: AtomicU32::new(1), wrong: Tries::default(), exchange }
    }

    /// Somebody comes to a room, which keeps to these rules from now on. What becomes of it is among the notices.
    pub(super) fn enter(self: &Arc<Self>, number: &str, rules: Rules, role: Role, who: Party) -> Inside {
        let id = MemberId(self.next.fetch_add(1, Ordering::Relaxed));
        let (tell, notices) = mpsc::channel(NOTICES);
        let caller = Caller { tell, who, since: Timestamp::now(), talking: false };
        let mut rooms = self.lock();
        let open = rooms.entry(number.into()).or_insert_with(|| {
            let bridge = BridgeId(FIRST_BRIDGE + u64::from(self.next.fetch_add(1, Ordering::Relaxed)));
            Open { room: Room::new(rules), bridge, callers: BTreeMap::new() }
        });
        open.callers.insert(id, caller);
        open.room.set_rules(rules);
        open.room.enter(id, role);
        let bridge = open.bridge;
        self.settle(&mut rooms, number);
        Inside { rooms: Arc::clone(self), number: number.into(), id, bridge, notices }
    }

    /// Somebody entered a wrong PIN.
    pub(super) fn wrong_pin(&self, number: &str) {
        if self.wrong.wrong(number) {
            tracing::warn!(
                room = number,
                "too many wrong PINs: for a while no caller from outside gets in by PIN"
            );
        }
    }

    /// Were there too many?
    pub(super) fn is_barred(&self, number: &str) -> bool {
        self.wrong.are_too_many(number)
    }

    /// The rooms that somebody is in, by number.
    pub(crate) fn status(&self) -> Vec<RoomStatus> {
        let rooms = self.lock();
        rooms
            .iter()
            .filter(|(_, open)| !open.room.is_empty())
            .map(|(number, open)| open.status(number))
            .collect()
    }

    /// An operator does something to somebody in a room. `false` if he is not there.
    pub(crate) fn intervene(&self, number: &str, member: u32, intervention: Intervention) -> bool {
        let (mut rooms, id) = (self.lock(), MemberId(member));
        let Some(open) = rooms.get_mut(number) else { return false };
        let done = match intervention {
            Intervention::Mute(muted) => open.room.set_muted(id, muted),
            Intervention::PutOut => open.room.put_out(id),
        };
        self.settle(&mut rooms, number);
        done
    }

    fn change(&self, number: &str, change: impl FnOnce(&mut Open)) {
        let mut rooms = self.lock();
        if let Some(open) = rooms.get_mut(number) {
            change(open);
            self.settle(&mut rooms, number);
        }
    }

    /// Tells all what has changed; a room without anybody is no more.
    fn settle(&self, rooms: &mut BTreeMap<String, Open>, number: &str) {
        let Some(open) = rooms.get_mut(number) else { return };
        while let Some((id, notice)) = open.room.poll_notice() {
            let told = open.callers.get(&id).map(|caller| caller.tell.try_send(notice));
            if let Some(Err(TrySendError::Full(_))) = told {
                tracing::warn!(room = number, "a call does not keep up with its room: it ends");
                open.callers.remove(&id);
                open.room.leave(id);
            }
        }
        let news = News::Room(open.status(number));
        // Who watches sees the next change, if there is no room for this one.
        let _ = self.exchange.send(Command::Tell(Box::new(news)));
        if open.callers.is_empty() {
            rooms.remove(number);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn status(&self, number: &str) -> RoomStatus {
        let members = self.room.members().filter_map(|(id, member)| {
            let caller = self.callers.get(&id)?;
            Some(MemberStatus {
                id: id.0,
                who: caller.who.clone(),
                since: caller.since,
                role: member.role,
                stay: member.stay,
                muted: member.muted,
                talking: caller.talking,
            })
        });
        RoomStatus { number: number.into(), locked: self.room.is_locked(), members: members.collect() }
    }
}

impl Inside {
    /// The caller wants something.
    pub(super) fn act(&self, act: Act) {
        self.rooms.change(&self.number, |open| open.room.act(self.id, act));
    }

    /// He is the one who talks, or no more.
    pub(super) fn talks(&self, talking: bool) {
        self.rooms.change(&self.number, |open| {
            if let Some(caller) = open.callers.get_mut(&self.id) {
                caller.talking = talking;
            }
        });
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.rooms.change(&self.number, |open| {
            open.callers.remove(&self.id);
            open.room.leave(self.id);
        });
    }
}
