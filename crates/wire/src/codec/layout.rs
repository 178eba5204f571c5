//! Which widths a message's fields have.

/// What a session knows beyond the frame at hand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Context {
    /// The negotiated protocol version; 0 before Register or when unknown.
    pub version: u8,
}

impl Context {
    /// A session that has agreed on `version`.
    pub const fn new(version: u8) -> Self {
        Self { version }
    }

    /// The version that governs a frame: header version 0 occurs in sessions of every version (wire-facts,
    /// Framing), so the greater of the two counts. A header version that no protocol has counts as 0.
    #[inline]
    pub fn effective(self, header_version: u32) -> u8 {
        let header =
            u8::try_from(header_version).ok().filter(|version| *version <= Self::NEWEST).unwrap_or(0);
        self.version.max(header)
    }

    /// The newest protocol version known.
    pub const NEWEST: u8 = 22;
}

/// The widths of version-dependent fields in one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The effective protocol version; 0 when unknown.
    pub version: u8,
    /// Media addresses are a tag and 16 bytes, not 4 bytes.
    pub tagged_addresses: bool,
    /// Directory numbers have 25 bytes, not 24.
    pub wide_numbers: bool,
    /// A list has all its slots, not only those in use: one of the two forms of UpdateCapabilitiesV3.
    pub all_slots: bool,
}

impl Layout {
    /// Media addresses are tagged from version 17 on (v17 to v20 captures: 132-byte OpenReceiveChannel).
    pub const TAGGED_FROM_VERSION: u8 = 17;
    /// Directory numbers have 24 bytes in v18 captures and 25 at v20; v19 is unseen and taken as 25.
    pub const WIDE_NUMBERS_FROM_VERSION: u8 = 19;

    /// The layout of that version, where no length says otherwise.
    pub const fn of_version(version: u8) -> Self {
        Self {
            version,
            tagged_addresses: version >= Self::TAGGED_FROM_VERSION,
            wide_numbers: version >= Self::WIDE_NUMBERS_FROM_VERSION,
            all_slots: false,
        }
    }

    /// Whether a field is there that came with version `since` and shifts what follows it. An unknown version
    /// counts as new.
    pub const fn has(self, since: u8) -> bool {
        self.version == 0 || self.version >= since
    }

    /// The layout of a received message: its rule, the effective version, and the header's length (id +
    /// body).
    #[inline]
    pub fn received(rule: LayoutRule, version: u8, length: usize) -> Self {
        let by_version = Self::of_version(version);
        Self {
            version,
            tagged_addresses: rule.tagged_from.map_or(by_version.tagged_addresses, |from| length >= from),
            wide_numbers: rule.wide_numbers_from.map_or(by_version.wide_numbers, |from| length >= from),
            all_slots: false,
        }
    }
}

/// How a message's layout follows from the header's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayoutRule {
    /// Addresses are tagged when the length is at least this.
    pub tagged_from: Option<usize>,
    /// Numbers are wide when the length is at least this.
    pub wide_numbers_from: Option<usize>,
    /// The body is padded with zeros to a multiple of four.
    pub padded: bool,
}

impl LayoutRule {
    /// The version alone decides; padded.
    pub const BY_VERSION: Self = Self { tagged_from: None, wide_numbers_from: None, padded: true };
}
