//! What single models need differently. Evidence is in the protocol facts ("Quirks by model"), read in several
//! implementations; none of it could be seen in a capture.

use selsius_wire::value::DeviceType;

/// Differences of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Misbehaves on CallState RingOut (7940, 7960): it is left at Proceed.
    pub(crate) no_ring_out: bool,
    /// Says MediaPathEvent instead of OffHook and OnHook, and needs SetHookFlashDetect (6901).
    pub(crate) media_path_is_hook: bool,
    /// Is not asked for ConnectionStatistics: the 7937 never answers, and the 7912, which reboots on messages that it
    /// does not know, was not asked by CallManager 4.1 (its capture, end of the call).
    pub(crate) no_statistics: bool,
    /// Counts as ready with RegisterAvailableLines; it may never ask for the time (SPA phones).
    pub(crate) ready_with_lines: bool,
}

impl Quirks {
    pub(crate) fn of(device_type: DeviceType) -> Self {
        let number = u32::from(device_type);
        Self {
            no_ring_out: matches!(number, 7 | 8),
            media_path_is_hook: number == 547,
            no_statistics: matches!(number, 431 | 30_007),
            ready_with_lines: (80_000..=80_020).contains(&number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_with_quirks_are_told_by_their_number() {
        for (number, no_ring_out, media_path, no_statistics, lines) in [
            (7, true, false, false, false),
            (8, true, false, false, false),
            (547, false, true, false, false),
            (431, false, false, true, false),
            (0x13884, false, false, false, true),
            (30_007, false, false, true, false),
            (436, false, false, false, false),
        ] {
            let quirks = Quirks::of(DeviceType::from(number));
            let expected = Quirks {
                no_ring_out,
                media_path_is_hook: media_path,
                no_statistics,
                ready_with_lines: lines,
            };
            assert_eq!(quirks, expected, "device type {number}");
        }
    }
}
