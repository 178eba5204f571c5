//! A meet-me room: who is in it, who hears whom, and what its moderator may do.
//!
//! A [`Room`] is told what its members want, and says by [`Room::poll_notice`] what each of them is to hear of it, to be emptied
//! after each of them. It knows no sound and no clock.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

/// What a room keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The most who may be in it.
    pub most: usize,
    /// Guests wait until a moderator has come.
    pub waits: bool,
    /// All hear it when somebody comes or goes.
    pub tones: bool,
}

/// A member of a room, as its driver names it. The names grow: the first is who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberId(pub u32);

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To hear and be heard.
    Guest,
    /// To lock it, to mute all guests and to end it, too.
    Moderator,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// As many are in it as may be.
    Full,
    /// Its moderator has locked it.
    Locked,
}

/// Where a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// The moderator has not come yet.
    Waiting,
    /// Nobody else is there.
    Alone,
    /// With the others.
    Together,
}

/// What a member wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To be heard no longer, or again.
    Mute,
    /// That no more guests come in, or again.
    Lock,
    /// That no guest is heard, or all again.
    MuteGuests,
    /// That all go.
    End,
}

/// What a member is to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It is not let in.
    Closed(Closed),
    /// Where it is from now on. The first says that it is in.
    Stay(Stay),
    /// Somebody has come to all who are together; it may be itself.
    Came,
    /// Somebody has left them.
    Went,
    /// Others do not hear it, or do again.
    Muted(bool),
    /// The room lets no more guests in, or does again, as it wanted.
    Locked(bool),
    /// No guest is heard, or all are again, as it wanted.
    GuestsMuted(bool),
    /// It may not do that.
    Refused,
    /// The room is over.
    Ended,
    /// An operator has put it out.
    PutOut,
}

/// A member, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// What it may do.
    pub role: Role,
    /// Is it not to be heard?
    pub muted: bool,
    /// Where it is.
    pub stay: Stay,
}

/// A room with somebody in it.
#[derive(Debug)]
pub struct Room {
    rules: Rules,
    members: BTreeMap<MemberId, Member>,
    /// A moderator has come since it was empty.
    opened: bool,
    locked: bool,
    notices: VecDeque<(MemberId, Notice)>,
}

impl Room {
    /// An empty one.
    pub fn new(rules: Rules) -> Self {
        let (members, notices) = (BTreeMap::new(), VecDeque::new());
        Self { rules, members, opened: false, locked: false, notices }
    }

    /// Keeps to other rules from now on. Who is in it stays.
    pub const fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Somebody wants to come in.
    pub fn enter(&mut self, id: MemberId, role: Role) {
        let closed = match role {
            _ if self.members.len() >= self.rules.most => Some(Closed::Full),
            Role::Guest if self.locked => Some(Closed::Locked),
            Role::Guest | Role::Moderator => None,
        };
        if let Some(closed) = closed {
            return self.tell(id, Notice::Closed(closed));
        }
        self.opened |= role == Role::Moderator || !self.rules.waits;
        // Not yet where it is to be, so that it is told.
        let stay = self.place(self.members.len() + 1);
        self.members.insert(id, Member { role, muted: false, stay });
        self.tell(id, Notice::Stay(stay));
        self.settle();
        self.tell_tone(Notice::Came);
    }

    /// Somebody has gone.
    pub fn leave(&mut self, id: MemberId) {
        if self.members.remove(&id).is_none() {
            return;
        }
        // Nobody else could open it again.
        self.locked &= self.members.values().any(|member| member.role == Role::Moderator);
        self.opened &= !self.members.is_empty();
        // To those who were with it: one of them may be alone now.
        self.tell_tone(Notice::Went);
        self.settle();
    }

    /// A member wants something.
    pub fn act(&mut self, id: MemberId, act: Act) {
        let Some(&Member { role, muted, .. }) = self.members.get(&id) else { return };
        match (act, role) {
            (Act::Mute, _) => self.mute(id, !muted),
            (_, Role::Guest) => self.tell(id, Notice::Refused),
            (Act::Lock, Role::Moderator) => {
                self.locked = !self.locked;
                self.tell(id, Notice::Locked(self.locked));
            }
            (Act::MuteGuests, Role::Moderator) => {
                let guests = self.members.iter().filter(|(_, member)| member.role == Role::Guest);
                let guests: Vec<_> = guests.map(|(&id, member)| (id, member.muted)).collect();
                let mute = guests.iter().any(|&(_, muted)| !muted);
                for (guest, _) in guests {
                    self.mute(guest, mute);
                }
                self.tell(id, Notice::GuestsMuted(mute));
            }
            (Act::End, Role::Moderator) => self.end(),
        }
    }

    /// Others do not hear a member from now on, or do again. `false` if there is none of that name.
    pub fn set_muted(&mut self, id: MemberId, muted: bool) -> bool {
        self.mute(id, muted);
        self.members.contains_key(&id)
    }

    /// Puts a member out; it leaves when it has heard of it. `false` if there is none of that name.
    pub fn put_out(&mut self, id: MemberId) -> bool {
        let is_there = self.members.contains_key(&id);
        if is_there {
            self.tell(id, Notice::PutOut);
        }
        is_there
    }

    /// What a member is to hear of next.
    pub fn poll_notice(&mut self) -> Option<(MemberId, Notice)> {
        self.notices.pop_front()
    }

    /// Who is in it, the first who came first.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, Member)> {
        self.members.iter().map(|(&id, &member)| (id, member))
    }

    /// Is nobody in it?
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Has its moderator locked it?
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    fn mute(&mut self, id: MemberId, muted: bool) {
        if let Some(member) = self.members.get_mut(&id)
            && core::mem::replace(&mut member.muted, muted) != muted
        {
            self.tell(id, Notice::Muted(muted));
        }
    }

    fn end(&mut self) {
        let notices = self.members.keys().map(|&id| (id, Notice::Ended));
        self.notices.extend(notices);
    }

    /// Where all are when there are so many.
    const fn place(&self, members: usize) -> Stay {
        match members {
            _ if !self.opened => Stay::Waiting,
            0 | 1 => Stay::Alone,
            _ => Stay::Together,
        }
    }

    fn settle(&mut self) {
        let stay = self.place(self.members.len());
        for (&id, member) in &mut self.members {
            if core::mem::replace(&mut member.stay, stay) != stay {
                self.notices.push_back((id, Notice::Stay(stay)));
            }
        }
    }

    fn tell_tone(&mut self, notice: Notice) {
        if !self.rules.tones {
            return;
        }
        let together = self.members.iter().filter(|(_, member)| member.stay == Stay::Together);
        self.notices.extend(together.map(|(&id, _)| (id, notice)));
    }

    fn tell(&mut self, id: MemberId, notice: Notice) {
        self.notices.push_back((id, notice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { most: 3, waits: false, tones: true };
    const ONE: MemberId = MemberId(1);
    const TWO: MemberId = MemberId(2);
    const THREE: MemberId = MemberId(3);

    fn notices(room: &mut Room) -> Vec<(u32, Notice)> {
        std::iter::from_fn(|| room.poll_notice()).map(|(id, notice)| (id.0, notice)).collect()
    }

    fn room(rules: Rules, roles: &[Role]) -> Room {
        let mut room = Room::new(rules);
        for (id, &role) in (1..).zip(roles) {
            room.enter(MemberId(id), role);
        }
        notices(&mut room);
        room
    }

    #[test]
    fn the_first_is_alone_until_another_comes_and_after_it_has_gone() {
        let mut room = Room::new(RULES);
        room.enter(ONE, Role::Guest);
        assert_eq!(notices(&mut room), [(1, Notice::Stay(Stay::Alone))]);
        room.enter(TWO, Role::Guest);
        let together = Notice::Stay(Stay::Together);
        assert_eq!(notices(&mut room), [(2, together), (1, together), (1, Notice::Came), (2, Notice::Came)]);
        room.leave(ONE);
        assert_eq!(notices(&mut room), [(2, Notice::Went), (2, Notice::Stay(Stay::Alone))]);
        room.leave(ONE);
        room.leave(TWO);
        assert!(notices(&mut room).is_empty() && room.is_empty());
    }

    #[test]
    fn guests_wait_for_the_moderator_and_stay_together_when_he_goes() {
        let mut room = Room::new(Rules { waits: true, tones: false, ..RULES });
        room.enter(ONE, Role::Guest);
        room.enter(TWO, Role::Guest);
        let waiting = Notice::Stay(Stay::Waiting);
        assert_eq!(notices(&mut room), [(1, waiting), (2, waiting)]);
        room.enter(THREE, Role::Moderator);
        let together = Notice::Stay(Stay::Together);
        assert_eq!(notices(&mut room), [(3, together), (1, together), (2, together)]);
        room.leave(THREE);
        assert!(notices(&mut room).is_empty());
        room.leave(ONE);
        room.leave(TWO);
        notices(&mut room);
        // Whoever comes after all have gone waits again.
        room.enter(ONE, Role::Guest);
        assert_eq!(notices(&mut room), [(1, waiting)]);
    }

    #[test]
    fn a_locked_room_lets_only_moderators_in_and_a_full_one_nobody() {
        let mut room = room(RULES, &[Role::Moderator]);
        room.act(ONE, Act::Lock);
        assert_eq!(notices(&mut room), [(1, Notice::Locked(true))]);
        room.enter(TWO, Role::Guest);
        assert_eq!(notices(&mut room), [(2, Notice::Closed(Closed::Locked))]);
        room.enter(TWO, Role::Moderator);
        room.enter(THREE, Role::Moderator);
        notices(&mut room);
        room.enter(MemberId(4), Role::Moderator);
        assert_eq!(notices(&mut room), [(4, Notice::Closed(Closed::Full))]);
        room.leave(ONE);
        assert!(room.is_locked(), "another moderator can open it");
        room.leave(TWO);
        room.leave(THREE);
        assert!(!room.is_locked());
        assert_eq!(room.members().count(), 0, "who was not let in is not in it");
    }

    #[test]
    fn guests_mute_themselves_and_moderators_all_guests() {
        let mut room = room(RULES, &[Role::Moderator, Role::Guest, Role::Guest]);
        room.act(TWO, Act::Mute);
        assert_eq!(notices(&mut room), [(2, Notice::Muted(true))]);
        for act in [Act::Lock, Act::MuteGuests, Act::End] {
            room.act(TWO, act);
            assert_eq!(notices(&mut room), [(2, Notice::Refused)], "{act:?}");
        }
        room.act(ONE, Act::MuteGuests);
        assert_eq!(notices(&mut room), [(3, Notice::Muted(true)), (1, Notice::GuestsMuted(true))]);
        room.act(ONE, Act::MuteGuests);
        let all = [(2, Notice::Muted(false)), (3, Notice::Muted(false)), (1, Notice::GuestsMuted(false))];
        assert_eq!(notices(&mut room), all);
        assert!(room.set_muted(THREE, true) && !room.set_muted(MemberId(9), true));
        assert!(room.put_out(TWO) && !room.put_out(MemberId(9)));
        assert_eq!(notices(&mut room), [(3, Notice::Muted(true)), (2, Notice::PutOut)]);
        room.act(ONE, Act::End);
        assert_eq!(notices(&mut room), [(1, Notice::Ended), (2, Notice::Ended), (3, Notice::Ended)]);
    }
}
