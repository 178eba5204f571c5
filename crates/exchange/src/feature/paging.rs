//! Paging: one phone speaks to many.
//!
//! A page is a call whose called legs never ring: the phones of a group that are free listen at once, and are not heard.
//! By multicast the caller's phone sends to a group address at which the others listen; by unicast all of them are at
//! the mixer, as in a conference. It ends with the caller, or with the last who listens.

use alloc::vec::Vec;
use core::net::SocketAddr;

use selsius_site::{CodecName, LineNumber, PagingGroup, PagingMode};
use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Appears, Audio, End, Leg, LegState, Mixed, Phase, Role, codec_name},
    device::Device,
    exchange::Exchange,
    record::{EndCause, Party},
    view::Transition,
};

/// A page that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Where the voice goes, by multicast.
    pub(crate) multicast: Option<(SocketAddr, Audio)>,
}

impl Exchange {
    /// The caller speaks from now on.
    pub(crate) fn start_page(&mut self, now: Time, caller: Handle<Leg>, number: &LineNumber) {
        let Some(state) = self.legs.get(caller) else { return };
        let (call_handle, station, ready) = (state.call, state.station(), state.state.is_off_hook());
        let Some(group) = self.site.paging_groups.get(number).cloned() else {
            return self.fail(now, caller, EndCause::UnknownNumber);
        };
        let mut members = self.listeners(station.map(|station| station.device), &group);
        let multicast = match (group.mode, group.address, station) {
            (PagingMode::Multicast, Some(address), Some(station)) => {
                let Some(audio) = self.multicast_audio(station, &mut members) else {
                    return self.fail(now, caller, EndCause::NoCommonCodec);
                };
                Some((address, audio))
            }
            // A trunk sends to one address only.
            _ => None,
        };
        if members.is_empty() || !ready {
            return self.fail(now, caller, EndCause::Busy);
        }
        let wall = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.phase = Phase::Paging;
        call.page = Some(Page { multicast });
        call.mixed = multicast.is_none().then_some(Mixed { owner: caller });
        call.codec = multicast.map(|(_, audio)| audio.codec);
        call.ringing.get_or_insert(wall);
        call.answered.get_or_insert(wall);
        self.listen(now, caller, &members, group.beep);
    }

    /// All legs of a page talk and listen.
    fn listen(&mut self, now: Time, caller: Handle<Leg>, members: &[(Appears, LineNumber)], beep: bool) {
        let Some(call) = self.legs.get(caller).map(|leg| leg.call) else { return };
        let mut legs = Vec::new();
        for (station, number) in members {
            let device = self.devices.get(station.device).map(|device| device.name.clone());
            let who = Party { device, ..self.party(number) };
            let end = End::Station(*station);
            let Some(leg) = self.add_leg(call, end, who, Role::Called, LegState::Answering) else { continue };
            if let Some(state) = self.legs.get_mut(leg) {
                state.one_way = true;
            }
            self.transition(now, leg, Transition::PickUp);
            legs.push(leg);
        }
        for &leg in legs.iter().chain([&caller]) {
            if let Some(state) = self.legs.get_mut(leg) {
                state.state = LegState::Connected;
            }
        }
        // At the mixer each speaks its own codec: nobody needs one in common.
        let _ = self.settle_media(now, call);
        for &leg in &legs {
            self.transition(now, leg, Transition::ConnectCalled);
        }
        self.transition(now, caller, Transition::ConnectCaller);
        if beep {
            legs.push(caller);
            self.beep_all(&legs);
        }
    }

    /// The phones of a group that are free to listen, each by the first of its lines.
    fn listeners(&self, caller: Option<Handle<Device>>, group: &PagingGroup) -> Vec<(Appears, LineNumber)> {
        let mut members: Vec<(Appears, LineNumber)> = Vec::new();
        for number in &group.lines {
            let appearances = self.appearances.get(number).map(Vec::as_slice).unwrap_or_default();
            for &station in appearances {
                let known = members.iter().any(|(other, _)| other.device == station.device);
                let idle = self.devices.get(station.device).is_some_and(|device| device.legs.is_empty());
                let quiet = self.line_state(number).do_not_disturb;
                if !known && idle && !quiet && Some(station.device) != caller {
                    members.push((station, number.clone()));
                }
            }
        }
        members
    }

    /// G.711 as the caller's phone speaks it; who does not understand that does not listen.
    fn multicast_audio(&self, caller: Appears, members: &mut Vec<(Appears, LineNumber)>) -> Option<Audio> {
        let g711 = |name: &CodecName| matches!(name, CodecName::Pcmu | CodecName::Pcma);
        let best = |station: Appears, name| self.devices.get(station.device)?.best(name);
        let codecs = self.site.settings.codecs.iter().copied().filter(g711).chain([CodecName::Pcmu]);
        let (codec, most) = codecs.into_iter().find_map(|name| best(caller, name))?;
        let name = codec_name(codec)?;
        members.retain(|&(station, _)| best(station, name).is_some());
        let most =
            members.iter().filter_map(|&(station, _)| best(station, name)).fold(most, |a, b| a.min(b.1));
        let packet_ms = self.site.settings.packet_ms.min(most);
        Some(Audio { codec, packet_ms: (packet_ms / 10 * 10).max(10), tos: self.config.media_dscp << 2 })
    }

    /// A phone cannot listen to the group's address.
    pub(crate) fn multicast_failed(&mut self, now: Time, device: Handle<Device>, party: u32) {
        let leg = self.parties.get(&party).copied();
        match leg
            .filter(|&leg| self.is_paging(leg) && self.legs.get(leg).is_some_and(|leg| leg.is_on(device)))
        {
            Some(leg) => self.end_leg(now, leg, EndCause::MediaFailure),
            None => self.counters.refuse("media answer for no leg"),
        }
    }
}
