//! What the manager says, message by message.

use alloc::string::String;

use selsius_wire::{
    ManagerMessage, Time,
    message::{self, CallInfo, CallInfoV2},
    value::{
        ButtonType, CallState, MediaPathEventKind, MediaPathId, ResetType, RingDuration, RingMode,
        SoftKeySetId, SpeakerMode, Tone, UnregisterStatus,
    },
};

use crate::{
    CloseReason, Event, Phase, Station,
    buttons::{Button, Forward, Legend},
    calls::{Parties, Party},
    face::Clock,
    limits,
    registration::Ask,
    soft_keys::Selection,
    station::Sound,
    timer::Timer,
};

impl Station {
    /// The table of phases and the messages that are about the connection itself.
    pub(crate) fn message(&mut self, now: Time, message: ManagerMessage) {
        use ManagerMessage as M;
        match (self.phase, message) {
            (Phase::Offline, _) => self.unexpected(),
            (_, M::KeepAliveAck(_)) => self.session.keepalive.unacknowledged = 0,
            (_, M::Reset(reset)) => self.reset(reset.reset_type),
            (Phase::AskingToken, M::RegisterTokenAck(_)) => self.token_granted(now),
            (Phase::AskingToken, M::RegisterTokenReject(reject)) => {
                self.token_refused(now, reject.wait_time_before_next_req);
            }
            (Phase::Registering, M::RegisterAck(ack)) => self.accepted(now, ack),
            (Phase::AskingToken | Phase::Registering, M::RegisterReject(reject)) => {
                self.rejected(reject.text.bytes())
            }
            (Phase::Leaving, M::UnregisterAck(ack)) => {
                self.unregistered(now, ack.status == UnregisterStatus::Ok)
            }
            // Answers to what nobody asked; a forged RegisterReject must not end a session.
            (
                _,
                M::RegisterTokenAck(_)
                | M::RegisterTokenReject(_)
                | M::RegisterAck(_)
                | M::RegisterReject(_)
                | M::UnregisterAck(_),
            ) => self.unexpected(),
            (Phase::Standby | Phase::AskingToken | Phase::Registering, _) => self.unexpected(),
            (Phase::Loading | Phase::Registered | Phase::Leaving, message) => {
                self.session_message(now, message)
            }
        }
    }

    /// The table of messages to a phone that is accepted.
    fn session_message(&mut self, now: Time, message: ManagerMessage) {
        use ManagerMessage as M;
        match message {
            M::CapabilitiesReq(_) => self.capabilities_wanted(now),
            M::ButtonTemplate(template) => self.button_template(now, &template),
            M::SoftKeyTemplate(template) => self.soft_key_template(now, &template),
            M::SoftKeySet(sets) => self.soft_key_sets(now, &sets),
            M::SelectSoftKeys(select) => self.select_soft_keys(select),
            M::LineStat(line) => {
                let name = line.line_fully_qualified_display_name.bytes();
                self.line(
                    now,
                    line.line_number,
                    line.line_dir_number.bytes(),
                    name,
                    line.line_text_label.bytes(),
                );
            }
            M::LineStatV2(line) => {
                let name = line.line_fully_qualified_display_name.bytes();
                self.line(
                    now,
                    line.line_number,
                    line.line_dir_number.bytes(),
                    name,
                    line.line_text_label.bytes(),
                );
            }
            M::SpeedDialStat(dial) => {
                let number = dial.speed_dial_dir_number.bytes();
                self.speed_dial_stat(
                    now,
                    dial.speed_dial_number,
                    number,
                    dial.speed_dial_display_name.bytes(),
                );
            }
            M::SpeedDialStatV2(dial) => {
                let number = dial.speed_dial_dir_number.bytes();
                self.speed_dial_stat(
                    now,
                    dial.speed_dial_number,
                    number,
                    dial.speed_dial_display_name.bytes(),
                );
            }
            M::FeatureStat(feature) => {
                let label = self.text(feature.feature_text_label.bytes());
                self.feature(now, feature.feature_index, feature.feature_id, label, feature.feature_status);
            }
            M::FeatureStatV2(feature) => {
                let label = self.text(feature.feature_text_label.bytes());
                self.feature(now, feature.feature_index, feature.feature_id, label, feature.feature_status);
            }
            M::ServiceUrlStat(service) => {
                let url = service.service_url.bytes();
                self.service(now, service.service_url_index, url, service.service_url_display_name.bytes());
            }
            M::ServiceUrlStatV2(service) => {
                let url = service.service_url.bytes();
                self.service(now, service.service_url_index, url, service.service_url_display_name.bytes());
            }
            M::ForwardStat(forward) => self.forward(now, &forward),
            M::ConfigStat(_) | M::ConfigStatV2(_) => self.answered(now, Ask::Config),
            M::Version(_) => self.answered(now, Ask::Version),
            M::ServerRes(_) => self.answered(now, Ask::Server),
            M::DefineTimeDate(time) => self.time_date(now, time),

            M::CallState(state) => self.call_state(state),
            M::CallInfo(info) => self.call_info(&info),
            M::CallInfoV2(info) => self.call_info_v2(&info),
            M::DialedNumber(dialed) => {
                let number = self.text(dialed.dialed_number.bytes());
                if let Some(call) = self.session.calls.named(dialed.line_instance, dialed.call_reference) {
                    call.dialed = number;
                }
            }
            M::BackSpaceReq(which) => {
                if let Some(call) = self.session.calls.known(which.line_instance, which.call_reference) {
                    call.dialed.pop();
                }
            }
            M::ActivateCallPlane(plane) => {
                self.session.active_line = Some(plane.line_instance);
                self.session.calls.select_line(plane.line_instance);
            }
            M::DeactivateCallPlane(_) => self.session.active_line = None,

            M::StartTone(tone) => self.start_tone(tone),
            M::StopTone(stop) => {
                if self.session.tone.is_some_and(|tone| tone.is_of(stop.line_instance, stop.call_reference)) {
                    self.session.tone = None;
                }
            }
            M::SetRinger(ringer) => self.ring(now, ringer),
            M::SetLamp(lamp) => {
                self.session.buttons.set_lamp(lamp.stimulus, lamp.stimulus_instance, lamp.lamp_mode);
            }
            M::SetSpeakerMode(mode) => self.speaker(mode.speaker_mode),
            // They change nothing that a person sees or hears on such a phone: who may hear the microphone, whether a
            // flash counts, in which list a call goes, who else holds it.
            M::SetMicroMode(_) | M::SetHookFlashDetect(_) | M::CallHistoryInfo(_) | M::CallSelectStat(_) => {}

            M::DisplayPromptStatus(prompt) => {
                let text = self.text(prompt.prompt_status.bytes());
                self.prompt(now, prompt.line_instance, prompt.call_reference, prompt.time_out_value, text);
            }
            M::DisplayPromptStatusV2(prompt) => {
                let text = self.text(prompt.prompt_status.bytes());
                self.prompt(now, prompt.line_instance, prompt.call_reference, prompt.time_out_value, text);
            }
            M::ClearPromptStatus(clear) => self.clear_prompt(clear.line_instance, clear.call_reference),
            M::DisplayNotify(notify) => {
                let text = self.text(notify.notify.bytes());
                self.session.display.notification_mut().show(now, notify.time_out_value, text);
            }
            M::DisplayNotifyV2(notify) => {
                let text = self.text(notify.notify.bytes());
                self.session.display.notification_mut().show(now, notify.time_out_value, text);
            }
            M::ClearNotify(_) => self.session.display.notification_mut().clear(),
            M::DisplayPriNotify(notify) => {
                let text = self.text(notify.notify.bytes());
                self.priority_notify(now, notify.priority, notify.time_out_value, text);
            }
            M::DisplayPriNotifyV2(notify) => {
                let text = self.text(notify.notify.bytes());
                self.priority_notify(now, notify.priority, notify.time_out_value, text);
            }
            M::ClearPriNotify(clear) => self.session.display.clear_priority(clear.priority),
            M::DisplayText(display) => {
                self.session.display.text =
                    Some(self.text(display.text.bytes())).filter(|text| !text.is_empty());
            }
            M::ClearDisplay(_) => self.session.display.text = None,

            M::UserToDeviceData(data) => self.user_data(&data),
            M::UserToDeviceDataVersion1(data) => self.user_data_version1(&data),

            M::OpenReceiveChannel(open) => self.open_receive(&open),
            M::CloseReceiveChannel(close) => self.close_receive(close.pass_through_party_id),
            M::StartMediaTransmission(start) => self.start_transmission(&start),
            M::StopMediaTransmission(stop) => self.stop_transmission(stop.pass_through_party_id),
            M::StartMulticastMediaReception(start) => self.start_multicast_reception(&start),
            M::StopMulticastMediaReception(stop) => self.close_receive(stop.pass_through_party_id),
            M::StartMulticastMediaTransmission(start) => self.start_multicast_transmission(&start),
            M::StopMulticastMediaTransmission(stop) => self.stop_transmission(stop.pass_through_party_id),
            M::StartMediaTransmissionCm2(start) => self.start_transmission_2x(&start),
            M::StartMediaReception(start) => self.start_reception_2x(&start),
            M::StopMediaReception(_) => self.close_receive(0),
            M::ConnectionStatisticsReq(request) => self.statistics(&request),
            _ => self.counts.unknown += 1,
        }
    }

    /// Phones close the connection at once; what they do then is the shell's.
    fn reset(&mut self, kind: ResetType) {
        self.close(match kind {
            ResetType::Reset | ResetType::Unknown(_) => CloseReason::Reset,
            ResetType::Restart | ResetType::ApplyConfig => CloseReason::Restart,
        });
    }

    fn button_template(&mut self, now: Time, template: &message::ButtonTemplate) {
        let buttons = template
            .used()
            .iter()
            .map(|button| Button { instance: button.instance_number.into(), kind: button.button_definition });
        self.session.buttons.define(template.button_offset, buttons);
        let so_far = template.button_offset.saturating_add(template.button_count);
        if so_far >= template.total_button_count {
            self.answered(now, Ask::Buttons);
        }
    }

    fn soft_key_template(&mut self, now: Time, template: &message::SoftKeyTemplate) {
        let encoding = self.dialect.encoding();
        let keys = template.used().iter().map(|key| {
            (crate::display::shown(key.soft_key_label.bytes(), encoding), key.soft_key_event.into())
        });
        self.session.soft_keys.define_template(template.soft_key_offset, keys);
        let so_far = template.soft_key_offset.saturating_add(template.soft_key_count);
        if so_far >= template.total_soft_key_count {
            self.answered(now, Ask::SoftKeyTemplate);
        }
    }

    fn soft_key_sets(&mut self, now: Time, sets: &message::SoftKeySet) {
        let positions = sets.used().iter().map(|set| set.soft_key_template_index);
        self.session.soft_keys.define_sets(sets.soft_key_set_offset, positions);
        let so_far = sets.soft_key_set_offset.saturating_add(sets.soft_key_set_count);
        if so_far >= sets.total_soft_key_set_count {
            self.answered(now, Ask::SoftKeySets);
        }
    }

    /// For a call, or for the idle phone. FreeSWITCH names the ended call with the on hook set (its capture, frame
    /// 488), which is the idle phone's too.
    fn select_soft_keys(&mut self, select: message::SelectSoftKeys) {
        let selection = Selection { set: select.soft_key_set_index.into(), mask: select.valid_key_mask };
        let (line, reference) = (select.line_instance, select.call_reference);
        let on_hook = select.soft_key_set_index == SoftKeySetId::OnHook;
        let calls = &mut self.session.calls;
        let call = if on_hook { calls.known(line, reference) } else { calls.named(line, reference) };
        match call {
            Some(call) => call.selection = Some(selection),
            None if on_hook || reference == 0 => self.session.idle_keys = Some(selection),
            None => self.unexpected(),
        }
    }

    fn line(&mut self, now: Time, line: u32, number: &[u8], name: &[u8], label: &[u8]) {
        let legend =
            Legend { number: self.text(number), name: self.text(name), label: self.text(label), status: 0 };
        self.session.buttons.set_legend(ButtonType::Line, line, legend);
        self.answered(now, Ask::Line(line));
    }

    fn speed_dial_stat(&mut self, now: Time, dial: u32, number: &[u8], label: &[u8]) {
        let (number, label) = (self.text(number), self.text(label));
        let is_blf = self.session.buttons.has(ButtonType::BlfSpeedDial, dial);
        let kind = if is_blf { ButtonType::BlfSpeedDial } else { ButtonType::SpeedDial };
        // The state of a busy lamp comes by FeatureStat, before or after.
        let known = self.session.buttons.legend(Button { instance: dial, kind });
        let status = known.map_or(0, |legend| legend.status);
        self.session.buttons.set_legend(kind, dial, Legend { number, label, status, ..Legend::default() });
        self.answered(now, Ask::SpeedDial(dial));
    }

    fn feature(&mut self, now: Time, index: u32, kind: ButtonType, label: String, status: u32) {
        let known = self.session.buttons.legend(Button { instance: index, kind });
        let number = known.map(|legend| legend.number.clone()).unwrap_or_default();
        let legend = Legend { number, label, status, ..Legend::default() };
        self.session.buttons.set_legend(kind, index, legend);
        self.answered(now, Ask::Feature(index));
    }

    fn service(&mut self, now: Time, index: u32, url: &[u8], label: &[u8]) {
        let legend = Legend { number: self.text(url), label: self.text(label), ..Legend::default() };
        self.session.buttons.set_legend(ButtonType::ServiceUrl, index, legend);
        self.answered(now, Ask::ServiceUrl(index));
    }

    fn forward(&mut self, now: Time, stat: &message::ForwardStat) {
        let number = |active: u32, number: &[u8]| if active == 0 { String::new() } else { self.text(number) };
        let forward = Forward {
            all: number(stat.forward_all_active, stat.forward_all_dirnum.bytes()),
            busy: number(stat.forward_busy_active, stat.forward_busy_dirnum.bytes()),
            no_answer: number(stat.forward_no_answer_active, stat.forward_no_answer_dirnum.bytes()),
        };
        self.session.buttons.set_forward(stat.line_number, forward);
        self.answered(now, Ask::Forward(stat.line_number));
    }

    fn time_date(&mut self, now: Time, time: message::DefineTimeDate) {
        self.session.clock = Some(Clock {
            year: time.year,
            month: time.month,
            day: time.day,
            weekday: time.day_of_week,
            hour: time.hour,
            minute: time.minute,
            second: time.second,
            told_at: now,
        });
        self.answered(now, Ask::TimeDate);
    }

    fn call_state(&mut self, message: message::CallState) {
        let (line, reference, state) = (message.line_instance, message.call_reference, message.call_state);
        if !self.session.calls.set_state(line, reference, state) {
            return self.unexpected();
        }
        if self.session.calls.shown().next().is_none() {
            self.session.active_line = None;
        }
        if state == CallState::OnHook {
            // Managers stop tone and bell themselves; a person would not hear them on after the end in any case.
            let over = |line_of: u32, reference_of: u32| {
                reference_of == reference && line_of == line && reference != 0
            };
            if self.session.tone.is_some_and(|tone| over(tone.line, tone.reference)) {
                self.session.tone = None;
            }
        }
        self.tell(Event::Call { line, reference, state });
    }

    fn call_info(&mut self, info: &CallInfo) {
        let party = |name: &[u8], number: &[u8]| Party { name: self.text(name), number: self.text(number) };
        let parties = Parties {
            call_type: info.call_type,
            calling: party(info.calling_party_name.bytes(), info.calling_party.bytes()),
            called: party(info.called_party_name.bytes(), info.called_party.bytes()),
            original_called: party(
                info.original_called_party_name.bytes(),
                info.original_called_party.bytes(),
            ),
            last_redirecting: party(
                info.last_redirecting_party_name.bytes(),
                info.last_redirecting_party.bytes(),
            ),
            instance: info.call_instance,
            security: info.call_security_status,
        };
        self.set_parties(info.line_instance, info.call_reference, parties, info.party_pi_restriction_bits);
    }

    fn call_info_v2(&mut self, info: &CallInfoV2) {
        let party = |name: &[u8], number: &[u8]| Party { name: self.text(name), number: self.text(number) };
        let parties = Parties {
            call_type: info.call_type,
            calling: party(info.calling_party_name.bytes(), info.calling_party.bytes()),
            called: party(info.called_party_name.bytes(), info.called_party.bytes()),
            original_called: party(
                info.original_called_party_name.bytes(),
                info.original_called_party.bytes(),
            ),
            last_redirecting: party(
                info.last_redirecting_party_name.bytes(),
                info.last_redirecting_party.bytes(),
            ),
            instance: info.call_instance,
            security: info.call_security_status,
        };
        self.set_parties(info.line_instance, info.call_reference, parties, info.party_pi_restriction_bits);
    }

    /// Restriction bits: a name and a number for each of the four parties (layouts.txt, RestrictInformationType).
    fn set_parties(&mut self, line: u32, reference: u32, mut parties: Parties, restricted: u32) {
        let Parties { calling, called, original_called, last_redirecting, .. } = &mut parties;
        for (party, bit) in [calling, called, original_called, last_redirecting].into_iter().zip([0, 2, 4, 6])
        {
            if restricted & (1 << bit) != 0 {
                party.name.clear();
            }
            if restricted & (2 << bit) != 0 {
                party.number.clear();
            }
        }
        if let Some(call) = self.session.calls.named(line, reference) {
            call.parties = parties;
        }
    }

    fn start_tone(&mut self, start: message::StartTone) {
        if matches!(start.tone, Tone::Silence | Tone::NoTone) {
            return self.session.tone = None;
        }
        self.tell(Event::Tone(start.tone));
        if sounds_once(start.tone) {
            return;
        }
        self.session.tone =
            Some(Sound { what: start.tone, line: start.line_instance, reference: start.call_reference });
    }

    fn ring(&mut self, now: Time, ringer: message::SetRinger) {
        let (line, reference) = (ringer.line_instance, ringer.call_reference);
        match ringer.ring_mode {
            RingMode::Off | RingMode::Unknown(0) => {
                if self.session.ringing.is_some_and(|ring| ring.is_of(line, reference)) {
                    self.session.ringing = None;
                    self.timers.stop(Timer::Ring);
                }
            }
            mode => {
                self.session.ringing = Some(Sound { what: mode, line, reference });
                match ringer.ring_duration {
                    RingDuration::Single => self.timers.set(Timer::Ring, now + limits::SINGLE_RING),
                    RingDuration::Normal | RingDuration::Unknown(_) => self.timers.stop(Timer::Ring),
                }
                self.tell(Event::Ring(mode, ringer.ring_duration));
            }
        }
    }

    /// The manager switches the speaker on when a call begins, whatever the user lifted; it becomes the path only when
    /// nothing is lifted, and a phone that tells its paths tells that (v20 capture, frame 18).
    fn speaker(&mut self, mode: SpeakerMode) {
        let on = mode == SpeakerMode::On;
        let lifted = self.paths.handset || self.paths.headset;
        let is_news = self.paths.speaker != on && !lifted;
        self.paths.speaker = on && !lifted;
        if is_news && self.traits.has_speaker {
            let event = if on { MediaPathEventKind::On } else { MediaPathEventKind::Off };
            self.tell_path(MediaPathId::Speaker, event);
        }
    }

    fn prompt(&mut self, now: Time, line: u32, reference: u32, timeout_s: u32, text: String) {
        let note = match reference {
            0 => self.session.display.prompt_mut(line),
            _ => self.session.calls.named(line, reference).map(|call| &mut call.prompt),
        };
        match note {
            Some(note) => note.show(now, timeout_s, text),
            None => self.unexpected(),
        }
    }

    fn clear_prompt(&mut self, line: u32, reference: u32) {
        match reference {
            0 => self.session.display.clear_prompt(line),
            _ => {
                if let Some(call) = self.session.calls.known(line, reference) {
                    call.prompt.clear();
                }
            }
        }
    }

    fn priority_notify(&mut self, now: Time, priority: u32, timeout_s: u32, text: String) {
        match self.session.display.priority_mut(priority) {
            Some(note) => note.show(now, timeout_s, text),
            None => self.unexpected(),
        }
    }
}

/// Tones that end by themselves; the others sound until StopTone.
fn sounds_once(tone: Tone) -> bool {
    matches!(tone, Tone::ZipZip | Tone::Zip | Tone::BeepBonk | Tone::ConfirmationTone)
}
