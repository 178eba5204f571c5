//! What single models need differently: one table. Evidence is in the protocol facts ("Quirks by model"), read in several
//! implementations; none of it could be seen in a capture.
//!
//! What every phone gets is no quirk here: the time of day after each call (without it a 7936 shows none), an answer to
//! the token of an SPA phone (else it drops calls), CallState OffHook when its user answers. What only the form of a
//! message is about (8941, 8945 and 69xx: LineStat) is in `wire::dialect`.

use selsius_site::Model;
use selsius_wire::value::DeviceType;

/// Differences of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Misbehaves on CallState RingOut (7940, 7960): it is left at Proceed.
    pub(crate) no_ring_out: bool,
    /// Has no audio in a call that becomes Connected from on hook or from hold (7911, and the 7906, which runs the same
    /// firmware): CallState OffHook goes before.
    pub(crate) off_hook_first: bool,
    /// Says MediaPathEvent instead of OffHook and OnHook, and needs SetHookFlashDetect (6901).
    pub(crate) media_path_is_hook: bool,
    /// Is not asked for ConnectionStatistics: the 7937 never answers, and the 7912, which reboots on messages that it
    /// does not know, was not asked by CallManager 4.1 (its capture, end of the call).
    pub(crate) no_statistics: bool,
    /// Counts as ready with RegisterAvailableLines; it may never ask for the time (SPA phones).
    pub(crate) ready_with_lines: bool,
    /// Has no soft keys: it is told of none.
    pub(crate) no_soft_keys: bool,
    /// Takes no more lines than this (7920).
    pub(crate) most_lines: usize,
    /// Which buttons it knows.
    pub(crate) buttons: ButtonKinds,
}

/// Which kinds of buttons a phone knows. What it does not know becomes the next best: a speed dial, which every phone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ButtonKinds {
    /// Lines, speed dials and services (7912 and its like, 7920).
    Plain,
    /// Keys with a fixed feature too, with a lamp each (7940, 7960).
    Lamps,
    /// Buttons with a state that FeatureStat tells: busy lamps, direct park, intercom (7941 and later).
    States,
}

impl Quirks {
    pub(crate) fn of(device_type: DeviceType) -> Self {
        let number = u32::from(device_type);
        let facts = Model::from_device_type(number).and_then(|model| model.facts());
        Self {
            no_ring_out: matches!(number, 7 | 8),
            off_hook_first: matches!(number, 307 | 369),
            media_path_is_hook: number == 547,
            no_statistics: matches!(number, 431 | 30_007),
            ready_with_lines: (80_000..=80_020).contains(&number),
            no_soft_keys: facts.is_some_and(|facts| facts.soft_keys == 0),
            most_lines: if number == 30_002 { 6 } else { usize::MAX },
            buttons: match number {
                // 7902, 7905, 7910, 7912, 7920, 7935, 7936, 7937, ATA 186 and 188, VGC.
                30_008 | 20_000 | 6 | 30_007 | 30_002 | 9 | 30_019 | 431 | 12 | 13 | 10 => ButtonKinds::Plain,
                7 | 8 => ButtonKinds::Lamps,
                _ => ButtonKinds::States,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What most phones are like.
    const USUAL: Quirks = Quirks {
        no_ring_out: false,
        off_hook_first: false,
        media_path_is_hook: false,
        no_statistics: false,
        ready_with_lines: false,
        no_soft_keys: false,
        most_lines: usize::MAX,
        buttons: ButtonKinds::States,
    };

    #[test]
    fn models_with_quirks_are_told_by_their_number() {
        let old = Quirks { no_ring_out: true, buttons: ButtonKinds::Lamps, ..USUAL };
        let plain = Quirks { buttons: ButtonKinds::Plain, ..USUAL };
        for (number, expected) in [
            (7, old),
            (8, old),
            (307, Quirks { off_hook_first: true, ..USUAL }),
            (369, Quirks { off_hook_first: true, ..USUAL }),
            (547, Quirks { media_path_is_hook: true, no_soft_keys: true, ..USUAL }),
            (548, Quirks { no_soft_keys: true, ..USUAL }),
            (431, Quirks { no_statistics: true, ..plain }),
            (30_007, Quirks { no_statistics: true, ..plain }),
            (30_002, Quirks { most_lines: 6, ..plain }),
            (20_000, plain),
            (30_019, plain),
            (30_008, Quirks { no_soft_keys: true, ..plain }),
            (12, Quirks { no_soft_keys: true, ..plain }),
            (0x13884, Quirks { ready_with_lines: true, ..USUAL }),
            (436, USUAL),
            (585, USUAL),
        ] {
            assert_eq!(Quirks::of(DeviceType::from(number)), expected, "device type {number}");
        }
    }
}
