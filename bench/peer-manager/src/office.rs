//! Plain calls between two phones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use sccp_protocol::{
    AudioProcessingPolicy, CallDirection, CallId, CallInfo, CallState, Codec, Command, CommandAction,
    DEFAULT_AUDIO_MAX_FRAMES_PER_PACKET, DEFAULT_AUDIO_PACKET_MS, DeviceEvent, DeviceEventKind, DeviceId,
    Digit, DtmfMode, Event, LineInstance, MediaEndpoint, MediaStatus, MediaTrafficClass,
    ReceiveChannelPurpose, ServerHandle, Tone,
};

use crate::site::Phone;

/// The phones and their calls.
pub struct Office {
    handle: ServerHandle,
    /// Phones by their number.
    numbers: BTreeMap<String, Phone>,
    /// Numbers by their phone.
    owners: BTreeMap<DeviceId, String>,
    registered: BTreeSet<DeviceId>,
    legs: BTreeMap<CallId, Leg>,
    /// The call of a phone that has one.
    busy: BTreeMap<DeviceId, CallId>,
}

/// A phone's part in a call.
struct Leg {
    device: DeviceId,
    stage: Stage,
    /// The other phone's part.
    other: Option<CallId>,
}

enum Stage {
    /// It has these digits so far.
    Dials(String),
    /// It waits for the other one to answer, or hears that nobody will.
    Waits,
    Rings,
    Talks,
}

impl Office {
    pub fn new(phones: Vec<Phone>, handle: ServerHandle) -> Self {
        Self {
            handle,
            owners: phones.iter().map(|phone| (phone.device.clone(), phone.number.clone())).collect(),
            numbers: phones.into_iter().map(|phone| (phone.number.clone(), phone)).collect(),
            registered: BTreeSet::new(),
            legs: BTreeMap::new(),
            busy: BTreeMap::new(),
        }
    }

    pub async fn handle(&mut self, event: Event) -> Result<()> {
        let DeviceEvent { device_id: device, event, .. } = match event {
            Event::Device(event) => event,
            Event::ProtocolWarning { peer, message_id, error, .. } => {
                eprintln!("{peer}: message {message_id:#06x}: {error}");
                return Ok(());
            }
            Event::SessionError { peer, error } => {
                eprintln!("{peer}: {error}");
                return Ok(());
            }
        };
        match event {
            DeviceEventKind::Registered(_) => {
                self.registered.insert(device);
            }
            DeviceEventKind::Disconnected {} => {
                if let Some(&call) = self.busy.get(&device) {
                    self.end(call).await?;
                }
                self.registered.remove(&device);
            }
            DeviceEventKind::OffHook { call_id, .. } => match self.legs.get(&call_id) {
                Some(Leg { stage: Stage::Rings, other: Some(caller), .. }) => {
                    self.connect(*caller, call_id).await?;
                }
                Some(_) => {}
                None => self.add(call_id, device, Stage::Dials(String::new()), None),
            },
            DeviceEventKind::Digit { call_id, digit } => self.digit(call_id, digit).await?,
            DeviceEventKind::ReceiveChannelOpened { call_id, status: MediaStatus::Ok, endpoint } => {
                if let Some(Leg { other: Some(other), .. }) = self.legs.get(&call_id) {
                    self.transmit(*other, endpoint).await?;
                }
            }
            DeviceEventKind::OnHook { call_id, .. } => self.end(call_id).await?,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, call: CallId, device: DeviceId, stage: Stage, other: Option<CallId>) {
        self.busy.insert(device.clone(), call);
        self.legs.insert(call, Leg { device, stage, other });
    }

    /// A digit, which may be the last one of a number.
    async fn digit(&mut self, call: CallId, digit: Digit) -> Result<()> {
        let digit = match digit {
            Digit::Number(digit @ 0..=9) => char::from(b'0' + digit),
            Digit::Star => '*',
            Digit::Pound => '#',
            _ => return Ok(()),
        };
        let Some(leg) = self.legs.get_mut(&call) else { return Ok(()) };
        let Stage::Dials(digits) = &mut leg.stage else { return Ok(()) };
        digits.push(digit);
        let (device, digits) = (leg.device.clone(), digits.clone());
        if self.numbers.contains_key(&digits) {
            leg.stage = Stage::Waits;
            return self.call(call, &device, &digits).await;
        }
        let longer = self.numbers.range(digits.clone()..).next();
        if longer.is_none_or(|(number, _)| !number.starts_with(&digits)) {
            leg.stage = Stage::Waits;
            self.send(
                &device,
                CommandAction::SetCallState { call_id: call, state: CallState::InvalidNumber },
            )
            .await?;
            self.send(&device, CommandAction::StartTone { call_id: call, tone: Tone::Reorder }).await?;
        }
        Ok(())
    }

    /// `caller` dialled `number`: the other phone rings, or is busy.
    async fn call(&mut self, call: CallId, caller: &DeviceId, number: &str) -> Result<()> {
        let (Some(from), Some(to)) =
            (self.owners.get(caller).and_then(|number| self.numbers.get(number)), self.numbers.get(number))
        else {
            return Ok(());
        };
        let info = |direction| CallInfo {
            direction,
            calling_name: from.name.clone(),
            calling_number: from.number.clone(),
            called_name: to.name.clone(),
            called_number: to.number.clone(),
            original_called_name: to.name.clone(),
            original_called_number: to.number.clone(),
            ..CallInfo::default()
        };
        let (outbound, inbound) = (info(CallDirection::Outbound), info(CallDirection::Inbound));
        let callee = to.device.clone();
        self.send(caller, CommandAction::CommitOutboundCall { call_id: call, info: outbound.clone() })
            .await?;
        if self.busy.contains_key(&callee) || !self.registered.contains(&callee) {
            self.send(caller, CommandAction::SetCallState { call_id: call, state: CallState::Busy }).await?;
            return self.send(caller, CommandAction::StartTone { call_id: call, tone: Tone::LineBusy }).await;
        }
        let offered = self.handle.offer_incoming_call(callee.clone(), LineInstance::new(1), inbound).await?;
        self.add(offered, callee, Stage::Rings, Some(call));
        if let Some(leg) = self.legs.get_mut(&call) {
            leg.other = Some(offered);
        }
        self.send(caller, CommandAction::PresentOutboundRinging { call_id: call, info: outbound }).await
    }

    /// It was answered: both phones open a channel to hear the other one.
    async fn connect(&mut self, caller: CallId, callee: CallId) -> Result<()> {
        for call in [callee, caller] {
            let Some(leg) = self.legs.get_mut(&call) else { continue };
            leg.stage = Stage::Talks;
            let device = leg.device.clone();
            self.send(&device, CommandAction::SetCallState { call_id: call, state: CallState::Connected })
                .await?;
            let open = CommandAction::OpenReceiveChannel {
                call_id: call,
                purpose: ReceiveChannelPurpose::Media,
                source: None,
                codec: Codec::Pcmu,
                packet_ms: DEFAULT_AUDIO_PACKET_MS,
                max_frames_per_packet: DEFAULT_AUDIO_MAX_FRAMES_PER_PACKET,
                dtmf_mode: DtmfMode::Auto,
                audio_processing: AudioProcessingPolicy::default(),
            };
            self.send(&device, open).await?;
        }
        Ok(())
    }

    /// The other phone listens at `endpoint`.
    async fn transmit(&self, call: CallId, endpoint: MediaEndpoint) -> Result<()> {
        let Some(leg) = self.legs.get(&call) else { return Ok(()) };
        let start = CommandAction::StartMedia {
            call_id: call,
            endpoint,
            dtmf_mode: DtmfMode::Auto,
            audio_processing: AudioProcessingPolicy::default(),
            // Expedited forwarding, the class of voice.
            traffic_class: MediaTrafficClass::from_wire(46 << 2),
        };
        self.send(&leg.device, start).await
    }

    /// One of them hung up.
    async fn end(&mut self, call: CallId) -> Result<()> {
        let other = self.legs.get(&call).and_then(|leg| leg.other);
        for call in [Some(call), other].into_iter().flatten() {
            let Some(leg) = self.legs.remove(&call) else { continue };
            self.busy.remove(&leg.device);
            self.send(&leg.device, CommandAction::CloseCall { call_id: call }).await?;
        }
        Ok(())
    }

    async fn send(&self, device: &DeviceId, action: CommandAction) -> Result<()> {
        Ok(self.handle.send(Command::new(device.clone(), action)).await?)
    }
}
