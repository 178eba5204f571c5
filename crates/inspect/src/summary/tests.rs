use selsius_wire::{
    CallState as State, DeviceType, MediaAddress, Opaque, SoftKeySetId, Text,
    message::{
        CallState, CapabilitiesReq, ConfigStat, DisplayPromptStatus, KeypadButton, OffHook, Register,
        RegisterReject, SelectSoftKeys, SetLamp, StartMediaTransmission,
    },
};

use super::*;

#[test]
fn stations() {
    let register = Register {
        device_name: Text::new("SEP001122334455"),
        protocol_ver: 20,
        device_type: DeviceType::from(8),
        ..Register::default()
    };
    for (message, expected) in [
        (register.into(), "Register SEP001122334455 version 20, Cisco 7940"),
        (OffHook::default().into(), "OffHook"),
        (OffHook { line_instance: 1, call_reference: 7 }.into(), "OffHook · line 1, call 7"),
        (
            KeypadButton { kp_button: KeypadKey::Pound, line_instance: 2, call_reference: 0 }.into(),
            "KeypadButton # · line 2",
        ),
        (Opaque { id: 0x7777, body: [0; 3].into() }.into(), "Unknown 0x7777, 3 bytes"),
    ] {
        assert_eq!(station(&message), expected);
    }
}

#[test]
fn managers() {
    let prompt = |text: &[u8], seconds| -> ManagerMessage {
        DisplayPromptStatus {
            time_out_value: seconds,
            prompt_status: Text::new(text),
            line_instance: 1,
            call_reference: 9,
        }
        .into()
    };
    let media = StartMediaTransmission {
        remote_ip_addr: MediaAddress::new([10, 0, 0, 7].into()),
        remote_port_number: 20480,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        call_reference: 9,
        ..StartMediaTransmission::default()
    };
    let soft_keys = |valid_key_mask| SelectSoftKeys {
        soft_key_set_index: SoftKeySetId::Connected,
        valid_key_mask,
        ..SelectSoftKeys::default()
    };
    let config =
        ConfigStat { device_name: Text::new("SEP001122334455"), number_of_lines: 2, ..Default::default() };
    let lamp = SetLamp { stimulus: StimulusType::Line, stimulus_instance: 1, lamp_mode: LampMode::Blink };
    for (message, expected) in [
        (CapabilitiesReq.into(), "CapabilitiesReq"),
        (CallState { call_state: State::Connected, ..CallState::default() }.into(), "CallState Connected"),
        (prompt(b"\x80\x20", 0), "DisplayPromptStatus “Enter number” · line 1, call 9"),
        (prompt(b"\x80\x171003", 10), "DisplayPromptStatus “From 1003” for 10 s · line 1, call 9"),
        (prompt(b"caf\xe9", 0), "DisplayPromptStatus “café” · line 1, call 9"),
        (prompt("café".as_bytes(), 0), "DisplayPromptStatus “café” · line 1, call 9"),
        (prompt(b"\x1b[2Jx", 0), "DisplayPromptStatus “·[2Jx” · line 1, call 9"),
        (media.into(), "StartMediaTransmission to 10.0.0.7:20480, G711Ulaw64k 20 ms · call 9"),
        (soft_keys(0xffff_fdff).into(), "SelectSoftKeys Connected, mask FFFFFDFF"),
        (soft_keys(0xffff).into(), "SelectSoftKeys Connected"),
        (lamp.into(), "SetLamp Line 1 blink"),
        (RegisterReject { text: Text::new("Unknown device") }.into(), "RegisterReject “Unknown device”"),
        (config.into(), "ConfigStat device name “SEP001122334455”, number of lines 2"),
    ] {
        assert_eq!(manager(&message), expected);
    }
}
