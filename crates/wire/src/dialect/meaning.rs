//! Meanings, and the messages that they become for a phone.

use alloc::{string::String, vec::Vec};

use super::{Dialect, forms};
use crate::{
    ButtonType, CallSecurity, CallType, DynText, ManagerMessage, Number, PhoneText, Text,
    message::{
        CallInfo, CallInfoV2, ConfigStat, DisplayNotify, DisplayNotifyV2, DisplayPriNotify,
        DisplayPriNotifyV2, DisplayPromptStatus, DisplayPromptStatusV2, FeatureStat, FeatureStatV2,
        ForwardStat, LineStat, LineStatV2, ServiceUrlStat, ServiceUrlStatV2, SpeedDialStat, SpeedDialStatV2,
    },
    text::plain_bytes,
};

/// Who talks to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallInformation {
    /// The line on this phone.
    pub line: u32,
    /// The call reference on this phone.
    pub call: u32,
    /// Which way the call goes, as this phone sees it.
    pub call_type: CallType,
    /// Name of the caller.
    pub calling_name: String,
    /// Number of the caller.
    pub calling_number: String,
    /// The caller's number before transformation; empty on the caller's own phone (v20).
    pub alternate_calling_number: String,
    /// Name of the called party.
    pub called_name: String,
    /// Number of the called party.
    pub called_number: String,
    /// Who was called first.
    pub original_called_name: String,
    /// Who was called first.
    pub original_called_number: String,
    /// Who forwarded last.
    pub last_redirecting_name: String,
    /// Who forwarded last.
    pub last_redirecting_number: String,
    /// Why the first forwarding happened; 0 for none.
    pub original_redirect_reason: u32,
    /// Why the last forwarding happened; 0 for none, 4 for unconditional.
    pub last_redirect_reason: u32,
    /// Voice mail box of the caller.
    pub calling_voice_mailbox: String,
    /// Voice mail box of the called party.
    pub called_voice_mailbox: String,
    /// Voice mail box of who was called first.
    pub original_called_voice_mailbox: String,
    /// Voice mail box of who forwarded last.
    pub last_redirecting_voice_mailbox: String,
    /// The hunt pilot's name.
    pub hunt_pilot_name: String,
    /// The hunt pilot's number.
    pub hunt_pilot_number: String,
    /// Which call of the line, from 1.
    pub call_instance: u32,
    /// The lock that is shown.
    pub security: CallSecurity,
    /// Which names and numbers are hidden; 0 for a visible caller.
    pub restriction: u32,
}

/// Where calls to a line are forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardStatus {
    /// The line, from 1.
    pub line: u32,
    /// Where all calls go.
    pub all: Option<String>,
    /// Where they go when the line is busy.
    pub busy: Option<String>,
    /// Where they go when nobody answers.
    pub no_answer: Option<String>,
}

impl Dialect {
    /// The prompt of a call, or of the idle phone (line 0, call 0); `timeout_s` 0 is for ever.
    pub fn prompt(&self, timeout_s: u32, line: u32, call: u32, text: &PhoneText) -> ManagerMessage {
        if forms::dynamic_display(self.version) {
            let prompt_status = self.dynamic_phone_text(text);
            return DisplayPromptStatusV2 {
                time_out_value: timeout_s,
                line_instance: line,
                call_reference: call,
                prompt_status,
            }
            .into();
        }
        DisplayPromptStatus {
            time_out_value: timeout_s,
            prompt_status: self.phone_text(text),
            line_instance: line,
            call_reference: call,
        }
        .into()
    }

    /// A notice for so many seconds; 0 is for ever.
    pub fn notify(&self, timeout_s: u32, text: &PhoneText) -> ManagerMessage {
        if forms::dynamic_display(self.version) {
            return DisplayNotifyV2 { time_out_value: timeout_s, notify: self.dynamic_phone_text(text) }
                .into();
        }
        DisplayNotify { time_out_value: timeout_s, notify: self.phone_text(text) }.into()
    }

    /// A notice with a priority.
    pub fn priority_notify(&self, timeout_s: u32, priority: u32, text: &PhoneText) -> ManagerMessage {
        if forms::dynamic_display(self.version) {
            let notify = self.dynamic_phone_text(text);
            return DisplayPriNotifyV2 { time_out_value: timeout_s, priority, notify }.into();
        }
        DisplayPriNotify { time_out_value: timeout_s, priority, notify: self.phone_text(text) }.into()
    }

    /// Who talks to whom.
    pub fn call_info(&self, info: &CallInformation) -> ManagerMessage {
        if forms::dynamic_display(self.version) {
            self.call_info_v2(info).into()
        } else {
            self.call_info_v1(info).into()
        }
    }

    /// A line: its number, the name that others see, what stands beside the button.
    pub fn line_status(&self, line: u32, number: &str, display_name: &str, label: &str) -> ManagerMessage {
        if forms::dynamic_lines(self.version, self.device_type) {
            return LineStatV2 {
                line_number: line,
                line_type: SHOW_ALL,
                line_dir_number: DynText::new(number),
                line_fully_qualified_display_name: self.dynamic_text(display_name),
                line_text_label: self.dynamic_text(label),
            }
            .into();
        }
        LineStat {
            line_number: line,
            line_dir_number: Text::new(number),
            line_fully_qualified_display_name: self.text(display_name),
            line_text_label: self.text(label),
            line_display_options: SHOW_ALL,
        }
        .into()
    }

    /// A speed dial: what it dials, what stands beside the button.
    pub fn speed_dial_status(&self, index: u32, number: &str, label: &str) -> ManagerMessage {
        if forms::dynamic_lines(self.version, self.device_type) {
            return SpeedDialStatV2 {
                speed_dial_number: index,
                speed_dial_dir_number: DynText::new(number),
                speed_dial_display_name: self.dynamic_text(label),
            }
            .into();
        }
        SpeedDialStat {
            speed_dial_number: index,
            speed_dial_dir_number: Text::new(number),
            speed_dial_display_name: self.text(label),
        }
        .into()
    }

    /// A service: what it fetches, what stands beside the button.
    pub fn service_url_status(&self, index: u32, url: &str, label: &str) -> ManagerMessage {
        if forms::dynamic_service(self.version) {
            return ServiceUrlStatV2 {
                service_url_index: index,
                service_url: DynText::new(url),
                service_url_display_name: self.dynamic_text(label),
            }
            .into();
        }
        ServiceUrlStat {
            service_url_index: index,
            service_url: Text::new(url),
            service_url_display_name: self.text(label),
        }
        .into()
    }

    /// A feature button: what it is, what stands beside it, its state.
    pub fn feature_status(
        &self,
        index: u32,
        feature: ButtonType,
        label: &str,
        status: u32,
    ) -> ManagerMessage {
        if forms::dynamic_feature(self.version) {
            return FeatureStatV2 {
                feature_index: index,
                feature_id: feature,
                feature_status: status,
                feature_text_label: self.dynamic_text(label),
            }
            .into();
        }
        FeatureStat {
            feature_index: index,
            feature_id: feature,
            feature_text_label: self.text(label),
            feature_status: status,
        }
        .into()
    }

    /// Where calls to a line are forwarded.
    pub fn forward_status(&self, status: &ForwardStatus) -> ManagerMessage {
        let active = |number: &Option<String>| u32::from(number.is_some());
        let number = |number: &Option<String>| Number::new(number.as_deref().unwrap_or_default());
        let any = [&status.all, &status.busy, &status.no_answer].into_iter().any(Option::is_some);
        ForwardStat {
            active_forward: u32::from(any),
            line_number: status.line,
            forward_all_active: active(&status.all),
            forward_all_dirnum: number(&status.all),
            forward_busy_active: active(&status.busy),
            forward_busy_dirnum: number(&status.busy),
            forward_no_answer_active: active(&status.no_answer),
            forward_no_answer_dirnum: number(&status.no_answer),
        }
        .into()
    }

    /// The phone's configuration. 0x0093 in every version: chan-sccp sends it at 3 and 17 (0x0142 is unseen).
    pub fn config_status(
        &self,
        device_name: &str,
        user: &str,
        server: &str,
        lines: u32,
        speed_dials: u32,
    ) -> ManagerMessage {
        ConfigStat {
            device_name: Text::new(device_name),
            instance: 1,
            user_name: self.text(user),
            server_name: self.text(server),
            number_of_lines: lines,
            number_of_speed_dials: speed_dials,
            ..ConfigStat::default()
        }
        .into()
    }

    /// The label of a soft key, as its definition in the template has it.
    pub fn soft_key_label(&self, label: &PhoneText) -> Text<16> {
        self.phone_text(label)
    }

    /// What a message to this phone carries for a text, without the NUL.
    pub fn text_bytes(&self, text: &PhoneText) -> Vec<u8> {
        text.render(self.encoding(), self.labels(), usize::MAX)
    }

    fn phone_text<const N: usize>(&self, text: &PhoneText) -> Text<N> {
        Text::new(text.render(self.encoding(), self.labels(), N.saturating_sub(1)))
    }

    fn dynamic_phone_text<const MAX: usize>(&self, text: &PhoneText) -> DynText<MAX> {
        DynText::new(text.render(self.encoding(), self.labels(), MAX.saturating_sub(1)))
    }

    fn text<const N: usize>(&self, text: &str) -> Text<N> {
        Text::new(plain_bytes(text, self.encoding(), N.saturating_sub(1)))
    }

    fn dynamic_text<const MAX: usize>(&self, text: &str) -> DynText<MAX> {
        DynText::new(plain_bytes(text, self.encoding(), MAX.saturating_sub(1)))
    }

    fn call_info_v1(&self, info: &CallInformation) -> CallInfo {
        CallInfo {
            calling_party_name: self.text(&info.calling_name),
            calling_party: Text::new(&info.calling_number),
            called_party_name: self.text(&info.called_name),
            called_party: Text::new(&info.called_number),
            line_instance: info.line,
            call_reference: info.call,
            call_type: info.call_type,
            original_called_party_name: self.text(&info.original_called_name),
            original_called_party: Text::new(&info.original_called_number),
            last_redirecting_party_name: self.text(&info.last_redirecting_name),
            last_redirecting_party: Text::new(&info.last_redirecting_number),
            original_cdpn_redirect_reason: info.original_redirect_reason,
            last_redirecting_reason: info.last_redirect_reason,
            cgpn_voice_mailbox: Text::new(&info.calling_voice_mailbox),
            cdpn_voice_mailbox: Text::new(&info.called_voice_mailbox),
            original_cdpn_voice_mailbox: Text::new(&info.original_called_voice_mailbox),
            last_redirecting_voice_mailbox: Text::new(&info.last_redirecting_voice_mailbox),
            call_instance: info.call_instance,
            call_security_status: info.security,
            party_pi_restriction_bits: info.restriction,
        }
    }

    fn call_info_v2(&self, info: &CallInformation) -> CallInfoV2 {
        CallInfoV2 {
            line_instance: info.line,
            call_reference: info.call,
            call_type: info.call_type,
            original_cdpn_redirect_reason: info.original_redirect_reason,
            last_redirecting_reason: info.last_redirect_reason,
            call_instance: info.call_instance,
            call_security_status: info.security,
            party_pi_restriction_bits: info.restriction,
            calling_party: DynText::new(&info.calling_number),
            alternate_calling_party: DynText::new(&info.alternate_calling_number),
            called_party: DynText::new(&info.called_number),
            original_called_party: DynText::new(&info.original_called_number),
            last_redirecting_party: DynText::new(&info.last_redirecting_number),
            cgpn_voice_mailbox: DynText::new(&info.calling_voice_mailbox),
            cdpn_voice_mailbox: DynText::new(&info.called_voice_mailbox),
            original_cdpn_voice_mailbox: DynText::new(&info.original_called_voice_mailbox),
            last_redirecting_voice_mailbox: DynText::new(&info.last_redirecting_voice_mailbox),
            calling_party_name: self.dynamic_text(&info.calling_name),
            called_party_name: self.dynamic_text(&info.called_name),
            original_called_party_name: self.dynamic_text(&info.original_called_name),
            last_redirecting_party_name: self.dynamic_text(&info.last_redirecting_name),
            hunt_pilot_number: DynText::new(&info.hunt_pilot_number),
            hunt_pilot_name: self.dynamic_text(&info.hunt_pilot_name),
        }
    }
}

/// All four bits of what a line shows for its calls: originally dialled, redirected dialled, calling number,
/// calling name. chan v3 sends the same; 4.1, frame 104, has 9.
const SHOW_ALL: u32 = 0x0F;
