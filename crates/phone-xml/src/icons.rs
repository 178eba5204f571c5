//! The icons of the manager's own pages. A phone's display has four shades at most, and some show only black and white, so these
//! are drawn in black with a little grey that may be lost.

use crate::{Icon, Picture};

/// What an icon says of the one beside whom it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing is going on at the number.
    Free,
    /// It rings there.
    Ringing,
    /// Somebody talks there.
    InUse,
    /// No phone is registered there.
    Away,
    /// The number is outside of the office; nothing is known of it.
    Outside,
    /// The conference is theirs.
    Owner,
    /// They talk in the conference.
    Talking,
    /// They have put the conference on hold.
    OnHold,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Free,
        Self::Ringing,
        Self::InUse,
        Self::Away,
        Self::Outside,
        Self::Owner,
        Self::Talking,
        Self::OnHold,
    ];

    /// The mark that looks like this, if it is one of them.
    pub fn of(picture: &Picture) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.icon().0.iter().map(|row| &row[..]).eq(picture.rows()))
    }

    /// One character in its place, where there are only texts.
    pub const fn sign(self) -> char {
        match self {
            Self::Free => '○',
            Self::Ringing => '♪',
            Self::InUse => '●',
            Self::Away => '×',
            Self::Outside => '↗',
            Self::Owner => '★',
            Self::Talking => '»',
            Self::OnHold => '‖',
        }
    }

    /// The picture.
    pub const fn icon(self) -> Icon {
        match self {
            Self::Free => FREE,
            Self::Ringing => RINGING,
            Self::InUse => IN_USE,
            Self::Away => AWAY,
            Self::Outside => OUTSIDE,
            Self::Owner => OWNER,
            Self::Talking => TALKING,
            Self::OnHold => ON_HOLD,
        }
    }
}

/// A handset on its phone.
const FREE: Icon = drawn([
    "                ",
    "   ##########   ",
    "  ############  ",
    " ####      #### ",
    " ###  ####  ### ",
    "     #    #     ",
    "    #  ++  #    ",
    "   #   ++   #   ",
    "   ##########   ",
    "                ",
]);

/// A bell that swings.
const RINGING: Icon = drawn([
    "       ##       ",
    "  +   ####   +  ",
    " +   ######   + ",
    " +   ######   + ",
    " +   ######   + ",
    "  +  ######  +  ",
    "    ########    ",
    "   ##########   ",
    "       ##       ",
    "                ",
]);

/// A handset that is lifted.
const IN_USE: Icon = drawn([
    "  ###           ",
    " #####          ",
    " #####     ++   ",
    "  ###    +   +  ",
    "   ###    +  +  ",
    "    ###  ## +   ",
    "     ########   ",
    "      ########  ",
    "        #####   ",
    "         ##     ",
]);

/// A cross.
const AWAY: Icon = drawn([
    "                ",
    "   ##      ##   ",
    "    ##    ##    ",
    "     ##  ##     ",
    "      ####      ",
    "      ####      ",
    "     ##  ##     ",
    "    ##    ##    ",
    "   ##      ##   ",
    "                ",
]);

/// An arrow out of a box.
const OUTSIDE: Icon = drawn([
    "        ######  ",
    "           ###  ",
    "  ####    ## #  ",
    "  #      ##  #  ",
    "  #     ##      ",
    "  #    ##   #   ",
    "  #         #   ",
    "  #         #   ",
    "  ###########   ",
    "                ",
]);

/// A star.
const OWNER: Icon = drawn([
    "       ##       ",
    "       ##       ",
    "      ####      ",
    " ############## ",
    "   ##########   ",
    "     ######     ",
    "     ######     ",
    "    ###  ###    ",
    "    #      #    ",
    "                ",
]);

/// A mouth's sound.
const TALKING: Icon = drawn([
    "      #     +   ",
    "     ##  +   +  ",
    "    ###   +   + ",
    " ######   +   + ",
    " ######   +   + ",
    " ######   +   + ",
    "    ###   +   + ",
    "     ##  +   +  ",
    "      #     +   ",
    "                ",
]);

/// Two bars.
const ON_HOLD: Icon = drawn([
    "                ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "    ###  ###    ",
    "                ",
]);

/// A drawing as an icon: blanks are white, `-` light grey, `+` dark grey, `#` black.
const fn drawn(art: [&str; 10]) -> Icon {
    let mut rows = [[0; 16]; 10];
    let mut at = 0;
    while at < 160 {
        let line = art[at / 16].as_bytes();
        assert!(line.len() == 16, "a line of an icon has 16 points");
        rows[at / 16][at % 16] = match line[at % 16] {
            b' ' => 0,
            b'-' => 1,
            b'+' => 2,
            b'#' => 3,
            _ => panic!("an icon is drawn with blanks, -, + and #"),
        };
        at += 1;
    }
    Icon(rows)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn marks_are_told_apart_even_in_black_and_white() {
        // The 7920 takes 0 and 1 for white, 2 and 3 for black (the maker's notes, footnote of table 3-1).
        let halved = |mark: Mark| mark.icon().0.map(|row| row.map(|point| point >= 2));
        let black = |mark: Mark| mark.icon().0.map(|row| row.map(|point| point == 3));
        assert_eq!(Mark::ALL.map(halved).into_iter().collect::<BTreeSet<_>>().len(), Mark::ALL.len());
        assert_eq!(Mark::ALL.map(black).into_iter().collect::<BTreeSet<_>>().len(), Mark::ALL.len());
        assert_eq!(Mark::ALL.map(Mark::sign).into_iter().collect::<BTreeSet<_>>().len(), Mark::ALL.len());
    }

    #[test]
    fn a_mark_is_known_by_its_picture() {
        for mark in Mark::ALL {
            let Icon(rows) = mark.icon();
            assert_eq!(Mark::of(&Picture::new(16, rows.concat()).unwrap()), Some(mark));
            assert_eq!(Mark::of(&Picture::new(160, rows.concat()).unwrap()), None);
        }
        assert_eq!(Mark::of(&Picture::new(16, vec![0; 160]).unwrap()), None);
    }
}
