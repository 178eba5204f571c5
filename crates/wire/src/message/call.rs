//! Calls: hook, keys, states, tones, lamps, call information.

use selsius_wire_derive::Wire;

use super::empty;
use crate::value::{
    self, CallHistoryDisposition, CallPrivacy, CallSecurity, CallType, DynText, HeadsetMode, KeypadKey,
    LampMode, MediaPathAbility, MediaPathEventKind, MediaPathId, MicrophoneMode, Number, RecordingState,
    RingDuration, RingMode, StimulusType, Text, Tone, ToneDirection,
};

empty! {
    /// 0x0087. A 6901 needs it to report a hook flash.
    SetHookFlashDetect,
    /// 0x0117. No line is the active one any more.
    DeactivateCallPlane,
}

/// 0x0003. A digit was pressed. Lengths 8 (only the digit) and 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct KeypadButton {
    /// The key.
    pub kp_button: KeypadKey,
    /// The line; 0 when the phone does not say.
    pub line_instance: u32,
    /// The call; 0 when the phone does not say.
    pub call_reference: u32,
}

/// 0x0005. A button was pressed. Lengths 12 (CallManager 2.x), 16 and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Stimulus {
    /// Which kind of button.
    pub stimulus: StimulusType,
    /// Its instance: the line, for a line button.
    pub line_instance: u32,
    /// The call; 0 when the phone does not say.
    pub call_reference: u32,
    /// State of the stimulus.
    pub stimulus_status: u32,
}

/// 0x0006. The handset was lifted. Lengths 4 and 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct OffHook {
    /// The line; 0 when the phone does not say.
    pub line_instance: u32,
    /// The call; 0 when the phone does not say.
    pub call_reference: u32,
}

/// 0x0007. The handset was put down. Lengths 4 and 12; line and reference are 0 at v20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct OnHook {
    /// The line; 0 when the phone does not say.
    pub line_instance: u32,
    /// The call; 0 when the phone does not say.
    pub call_reference: u32,
}

/// 0x0024. As OffHook, from a gateway that knows who calls. Lengths 56 and, with 25-byte numbers, 60 with the
/// padding; from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(wide_numbers_from = 58)]
pub struct OffHookWithCallingPartyNumber {
    /// Who calls.
    pub calling_party_number: Number,
    /// The caller's voice mail box.
    pub cgpn_voice_mailbox: Number,
    /// The line.
    pub line_instance: u32,
}

/// 0x0008. The hook was flashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct HookFlash {
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x002B. The headset button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct HeadsetStatus {
    /// Whether it is in use.
    pub headset_status: HeadsetMode,
}

/// 0x0049. An acoustic path went on or off. It accompanies OffHook and OnHook at v20; a 6901 sends it
/// instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MediaPathEvent {
    /// Which path.
    pub media_path_id: MediaPathId,
    /// What happened.
    pub media_path_event: MediaPathEventKind,
}

/// 0x004A. What an acoustic path can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MediaPathCapability {
    /// Which path.
    pub media_path_id: MediaPathId,
    /// What it can do.
    pub media_path_capabilities: MediaPathAbility,
}

/// 0x0082. Lengths 8 (CallManager 2.x: only the tone) and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StartTone {
    /// What is played.
    pub tone: Tone,
    /// Who hears it.
    pub tone_output_direction: ToneDirection,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0083. Lengths 4 (CallManager 2.x), 12 and 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StopTone {
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// Which tone; 0 for whatever plays.
    #[wire(since = 11)]
    pub tone: Tone,
}

/// 0x0085. Lengths 8 (CallManager 2.x) and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SetRinger {
    /// How it rings.
    pub ring_mode: RingMode,
    /// How often.
    pub ring_duration: RingDuration,
    /// The line; 0 when it is switched off.
    pub line_instance: u32,
    /// The call; 0 when it is switched off.
    pub call_reference: u32,
}

/// 0x0086. The lamp of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SetLamp {
    /// Which kind of button.
    pub stimulus: StimulusType,
    /// Its instance: the line, for a line button.
    pub stimulus_instance: u32,
    /// What it does.
    pub lamp_mode: LampMode,
}

/// 0x0088. The loudspeaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SetSpeakerMode {
    /// On or off.
    pub speaker_mode: value::SpeakerMode,
}

/// 0x0089. The microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SetMicroMode {
    /// On or off.
    pub mic_mode: MicrophoneMode,
}

/// 0x0111. The state of a call. Length 28; FreeSWITCH sends 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CallState {
    /// The state.
    pub call_state: value::CallState,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// How much of it others see.
    pub privacy: CallPrivacy,
    /// Precedence of the call: 4, routine, in every captured frame.
    pub precedence_level: u32,
    /// Domain of the precedence: 0 in every captured frame.
    pub precedence_domain: u32,
}

/// 0x0116. The line becomes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ActivateCallPlane {
    /// The line.
    pub line_instance: u32,
}

/// 0x0119. The phone takes the last digit off its display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct BackSpaceReq {
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x011D. What was dialled, for the list of placed calls.
///
/// At v20 the length is 40: a 25-byte number, what follows is unaligned. chan-sccp sends 40 at v3 and v17
/// too, with a 24-byte number and a spare word, so the length does not decide and the version does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DialedNumber {
    /// The number.
    pub dialed_number: Number,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0130. Whether a call is selected (in use) on another phone of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CallSelectStat {
    /// Whether it is.
    pub call_select_stat: u32,
    /// The call.
    pub call_reference: u32,
    /// The line.
    pub line_instance: u32,
}

/// 0x0156. In which list a call belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CallHistoryInfo {
    /// The list.
    pub call_history_disposition: CallHistoryDisposition,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
}

/// 0x0160. Whether a call is recorded, for the phone to show. Length 12; from the layout list alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RecordingStatus {
    /// The call.
    pub call_reference: u32,
    /// Whether it is.
    pub recording_status: RecordingState,
}

/// 0x008F. Who talks to whom. CallManager 2.x ends after the called party (length 132).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CallInfo {
    /// Name of the caller.
    pub calling_party_name: Text<40>,
    /// Number of the caller.
    pub calling_party: Text<24>,
    /// Name of the called party.
    pub called_party_name: Text<40>,
    /// Number of the called party.
    pub called_party: Text<24>,
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// Which way it goes.
    pub call_type: CallType,
    /// Who was called first.
    pub original_called_party_name: Text<40>,
    /// Who was called first.
    pub original_called_party: Text<24>,
    /// Who forwarded last.
    pub last_redirecting_party_name: Text<40>,
    /// Who forwarded last.
    pub last_redirecting_party: Text<24>,
    /// Why the first forwarding happened.
    pub original_cdpn_redirect_reason: u32,
    /// Why the last forwarding happened; 4 is unconditional.
    pub last_redirecting_reason: u32,
    /// Voice mail box of the caller.
    pub cgpn_voice_mailbox: Text<24>,
    /// Voice mail box of the called party.
    pub cdpn_voice_mailbox: Text<24>,
    /// Voice mail box of who was called first.
    pub original_cdpn_voice_mailbox: Text<24>,
    /// Voice mail box of who forwarded last.
    pub last_redirecting_voice_mailbox: Text<24>,
    /// Which call of the line.
    pub call_instance: u32,
    /// The lock that is shown.
    pub call_security_status: CallSecurity,
    /// Which names and numbers are hidden; 0 for a visible caller.
    pub party_pi_restriction_bits: u32,
}

/// 0x014A, the dynamic form of CallInfo.
///
/// 15 strings are proven at v20 (frame 9 of the capture). Up to v15 there are 12: no alternate caller, no
/// hunt pilot; for v16 to v18 sources disagree between 13 and 15.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CallInfoV2 {
    /// The line.
    pub line_instance: u32,
    /// The call.
    pub call_reference: u32,
    /// Which way it goes.
    pub call_type: CallType,
    /// Why the first forwarding happened.
    pub original_cdpn_redirect_reason: u32,
    /// Why the last forwarding happened; 4 is unconditional.
    pub last_redirecting_reason: u32,
    /// Which call of the line.
    pub call_instance: u32,
    /// The lock that is shown.
    pub call_security_status: CallSecurity,
    /// Which names and numbers are hidden; 0 for a visible caller.
    pub party_pi_restriction_bits: u32,
    /// Number of the caller.
    pub calling_party: DynText<25>,
    /// The caller's number before transformation; empty on the caller's own phone.
    #[wire(gate = 16)]
    pub alternate_calling_party: DynText<25>,
    /// Number of the called party.
    pub called_party: DynText<25>,
    /// Who was called first.
    pub original_called_party: DynText<25>,
    /// Who forwarded last.
    pub last_redirecting_party: DynText<25>,
    /// Voice mail box of the caller.
    pub cgpn_voice_mailbox: DynText<25>,
    /// Voice mail box of the called party.
    pub cdpn_voice_mailbox: DynText<25>,
    /// Voice mail box of who was called first.
    pub original_cdpn_voice_mailbox: DynText<25>,
    /// Voice mail box of who forwarded last.
    pub last_redirecting_voice_mailbox: DynText<25>,
    /// Name of the caller.
    pub calling_party_name: DynText<121>,
    /// Name of the called party.
    pub called_party_name: DynText<121>,
    /// Who was called first.
    pub original_called_party_name: DynText<121>,
    /// Who forwarded last.
    pub last_redirecting_party_name: DynText<121>,
    /// The hunt pilot's number.
    #[wire(gate = 16)]
    pub hunt_pilot_number: DynText<25>,
    /// The hunt pilot's name.
    #[wire(gate = 16)]
    pub hunt_pilot_name: DynText<121>,
}
