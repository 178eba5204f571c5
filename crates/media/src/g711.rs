//! G.711: sixteen bits of sound in eight, by one of two laws.
//!
//! Facts from ITU-T G.711 (11/88), tables 1 and 2, and for where exactly an interval ends from the ITU's
//! reference program (G.191): a value on a decision point belongs to the interval above it. Both directions
//! are tables made by the compiler, so a sample costs one load.

use alloc::vec::Vec;

/// Which of the two companding laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// µ-law: 14-bit precision, North America and Japan.
    Mu,
    /// A-law: 13-bit precision, everywhere else.
    A,
}

impl Law {
    /// The code of silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    /// The code of one 16-bit sample.
    pub const fn encode_sample(self, sample: i16) -> u8 {
        match self {
            Self::Mu => MU_ENCODE[((sample as i32 + 0x8000) >> 2) as usize],
            Self::A => A_ENCODE[((sample as i32 + 0x8000) >> 4) as usize],
        }
    }

    /// The 16-bit sample that a code stands for.
    pub const fn decode_sample(self, code: u8) -> i16 {
        match self {
            Self::Mu => MU_DECODE[code as usize],
            Self::A => A_DECODE[code as usize],
        }
    }

    /// Appends the codes of `samples` to `out`.
    pub fn encode(self, samples: &[i16], out: &mut Vec<u8>) {
        out.extend(samples.iter().map(|&sample| self.encode_sample(sample)));
    }

    /// Appends the samples that `codes` stand for to `out`.
    pub fn decode(self, codes: &[u8], out: &mut Vec<i16>) {
        out.extend(codes.iter().map(|&code| self.decode_sample(code)));
    }
}

static MU_DECODE: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = mu_expand(code as u8);
        code += 1;
    }
    table
};

static A_DECODE: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = a_expand(code as u8);
        code += 1;
    }
    table
};

/// By the upper 14 bits of the sample, lowest first.
static MU_ENCODE: [u8; 1 << 14] = {
    let mut table = [0; 1 << 14];
    let mut index = 0;
    while index < 1 << 14 {
        table[index] = mu_compress(index as i32 - (1 << 13));
        index += 1;
    }
    table
};

/// By the upper 12 bits of the sample, lowest first: A-law's thirteenth bit tells no two codes apart.
static A_ENCODE: [u8; 1 << 12] = {
    let mut table = [0; 1 << 12];
    let mut index = 0;
    while index < 1 << 12 {
        table[index] = a_compress(index as i32 - (1 << 11));
        index += 1;
    }
    table
};

/// All bits are sent inverted. Magnitude: `(mantissa · 2 + 33) · 2^segment - 33`, of 14 bits.
const fn mu_expand(code: u8) -> i16 {
    let bits = !code;
    let segment = (bits >> 4) & 7;
    let mantissa = (bits & 0x0F) as i16;
    let magnitude = (((mantissa * 2 + 33) << segment) - 33) * 4;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// Every other bit is sent inverted. Magnitude, of 13 bits: `mantissa · 2 + 1` in the first segment, and then
/// `(mantissa · 2 + 33) · 2^(segment - 1)`.
const fn a_expand(code: u8) -> i16 {
    let bits = code ^ 0x55;
    let segment = (bits >> 4) & 7;
    let mantissa = (bits & 0x0F) as i16;
    let magnitude = if segment == 0 { mantissa * 2 + 1 } else { (mantissa * 2 + 33) << (segment - 1) };
    if bits & 0x80 == 0 { -(magnitude * 8) } else { magnitude * 8 }
}

/// The code of a 14-bit value.
const fn mu_compress(value: i32) -> u8 {
    // One's complement below zero: the interval [-1, 0) is the negative zero.
    let magnitude = if value < 0 { !value } else { value };
    let biased = (if magnitude > 8158 { 8158 } else { magnitude }) + 33;
    // The bias puts the highest bit of segment n at position n + 5.
    let segment = (31 - biased.leading_zeros()) - 5;
    let mantissa = (biased >> (segment + 1)) & 0x0F;
    let sign = if value < 0 { 0x80 } else { 0 };
    !(sign | (segment as u8) << 4 | mantissa as u8)
}

/// The code of a 12-bit value.
const fn a_compress(value: i32) -> u8 {
    let magnitude = if value < 0 { !value } else { value };
    let bits = if magnitude < 16 {
        magnitude
    } else {
        let segment = (31 - magnitude.leading_zeros()) - 3;
        let mantissa = (magnitude >> (segment - 1)) & 0x0F;
        (segment as i32) << 4 | mantissa
    };
    let sign = if value < 0 { 0 } else { 0x80 };
    (sign | bits as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One law as G.711's tables have it, written down from them and not from the code above: the decision values
    /// of the positive side (in units of the table), and what each interval is decoded as.
    struct Table {
        /// Lower ends of the 128 intervals, and the virtual last one.
        decisions: Vec<f64>,
        outputs: Vec<f64>,
        /// 16-bit units per unit of the table.
        scale: f64,
    }

    /// Tables 2a and 2b: segment ends 31, 95, 223, ... 8159; 16 intervals in each, the first of all of length 1.
    fn mu_table() -> Table {
        let ends = [31, 95, 223, 479, 991, 2015, 4063, 8159];
        let mut decisions: Vec<f64> = vec![0.0];
        decisions.extend((0..15).map(|n| f64::from(1 + 2 * n)));
        for pair in ends.windows(2) {
            let step = (pair[1] - pair[0]) / 16;
            decisions.extend((0..16).map(|n| f64::from(pair[0] + n * step)));
        }
        decisions.push(8159.0);
        let mut outputs: Vec<f64> = decisions.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        // "y0 = 0": the first interval stands for zero and not for its middle.
        outputs[0] = 0.0;
        Table { decisions, outputs, scale: 4.0 }
    }

    /// Tables 1a and 1b: 32 intervals of 2 up to 64, then 16 for each doubling up to 4096.
    fn a_table() -> Table {
        let mut decisions: Vec<f64> = (0..32).map(|n| f64::from(2 * n)).collect();
        for start in [64, 128, 256, 512, 1024, 2048] {
            decisions.extend((0..16).map(|n| f64::from(start + n * start / 16)));
        }
        decisions.push(4096.0);
        let outputs = decisions.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        Table { decisions, outputs, scale: 8.0 }
    }

    /// The character signal of interval `n` (0..128): "before inversion" they count up, sign bit 1 for positive.
    fn code_of(law: Law, n: u8, negative: bool) -> u8 {
        match law {
            // Table 2a shows the bits as sent: all seven inverted, positive has 1.
            Law::Mu => (0x7F - n) | if negative { 0 } else { 0x80 },
            // Table 1a, note 2: even bits inverted.
            Law::A => (n | if negative { 0 } else { 0x80 }) ^ 0x55,
        }
    }

    fn tables() -> [(Law, Table); 2] {
        [(Law::Mu, mu_table()), (Law::A, a_table())]
    }

    #[test]
    fn decodes_all_codes_as_the_tables_say() {
        for (law, table) in tables() {
            assert_eq!((table.decisions.len(), table.outputs.len()), (129, 128));
            for n in 0..128u8 {
                let output = table.outputs[usize::from(n)] * table.scale;
                assert_eq!(f64::from(law.decode_sample(code_of(law, n, false))), output, "{law:?} {n}");
                assert_eq!(f64::from(law.decode_sample(code_of(law, n, true))), -output, "{law:?} -{n}");
            }
        }
    }

    #[test]
    fn encodes_all_samples_as_the_tables_say() {
        for (law, table) in tables() {
            for sample in i16::MIN..=i16::MAX {
                let value = f64::from(sample) / table.scale;
                let negative = sample < 0;
                // Intervals are closed below, so on the negative side their ends belong to the other one.
                let beyond = |&decision: &f64| if negative { decision < -value } else { decision <= value };
                let n = table.decisions[..128].iter().filter(|d| beyond(d)).count().saturating_sub(1);
                let expected = code_of(law, n as u8, negative);
                assert_eq!(law.encode_sample(sample), expected, "{law:?} {sample}");
            }
        }
    }

    #[test]
    fn codes_survive_the_round_trip() {
        for law in [Law::Mu, Law::A] {
            for code in 0..=255u8 {
                let again = law.encode_sample(law.decode_sample(code));
                // µ-law has two zeros, and linear samples only one.
                let expected = if law == Law::Mu && code == 0x7F { 0xFF } else { code };
                assert_eq!(again, expected, "{law:?} {code:#04x}");
                assert_eq!(law.decode_sample(again), law.decode_sample(code));
            }
        }
    }

    #[test]
    fn silence_is_silent() {
        assert_eq!(Law::Mu.decode_sample(Law::Mu.silence()), 0);
        assert_eq!(Law::Mu.encode_sample(0), Law::Mu.silence());
        // A-law has no zero; this is the smallest positive value.
        assert_eq!(Law::A.decode_sample(Law::A.silence()), 8);
        assert_eq!(Law::A.encode_sample(0), Law::A.silence());
    }

    #[test]
    fn slices_follow_samples() {
        let samples = [0, 1000, -1000, i16::MAX, i16::MIN];
        let (mut codes, mut back) = (Vec::new(), Vec::new());
        Law::Mu.encode(&samples, &mut codes);
        assert_eq!(codes, [0xFF, 0xCE, 0x4E, 0x80, 0x00]);
        Law::Mu.decode(&codes, &mut back);
        assert_eq!(back, [0, 988, -988, 32124, -32124]);
    }

    /// ITU-T G.711 tables 5 and 6: these eight codes, repeated, are a sine of 1 kHz at 0 dBm0.
    #[test]
    fn the_digital_milliwatt_is_0_dbm0() {
        let mu = [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E];
        let a = [0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4];
        for (law, codes) in [(Law::Mu, mu), (Law::A, a)] {
            let mut samples = Vec::new();
            law.decode(&codes, &mut samples);
            let level = crate::Level::of(&samples).as_dbm0();
            // One scale serves both laws here, though their overload points are 3.17 and 3.14 dBm0.
            assert!(level.abs() < 0.07, "{law:?}: {level}");
        }
    }
}
