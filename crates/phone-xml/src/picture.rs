//! Pictures in the shades that every phone with pictures has, as the maker's service developer notes pack them: two bits a point.

/// Rows of points, each 0 (white) to 3 (black).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    points: Vec<u8>,
}

impl Picture {
    /// A picture of rows of this width, from top to bottom. `None` unless the rows are whole, 1 to 65,535 of them, and each
    /// point is 0 to 3.
    pub fn new(width: u16, points: Vec<u8>) -> Option<Self> {
        let rows = points.len().checked_div(width.into())?;
        let whole = rows > 0 && rows <= u16::MAX.into() && rows * usize::from(width) == points.len();
        (whole && points.iter().all(|&point| point <= 3)).then_some(Self { width, points })
    }

    /// Points of a row.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u16 {
        u16::try_from(self.rows().len()).unwrap_or(u16::MAX)
    }

    /// The rows, from top to bottom.
    pub fn rows(&self) -> core::slice::ChunksExact<'_, u8> {
        self.points.chunks_exact(self.width.into())
    }

    /// Its points in hexadecimal.
    pub(crate) fn data(&self) -> String {
        pack(&self.points)
    }

    /// What [`Self::data`] gave for a picture of this size. `None` if it is no such data; more of it than the size needs is
    /// ignored, as phones do.
    pub(crate) fn from_data(width: u16, height: u16, data: &str) -> Option<Self> {
        let digits: Vec<u8> = data
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
        let all = bytes.flat_map(|byte| [0, 2, 4, 6].map(|shift| byte >> shift & 3));
        Self::new(width, all.take(usize::from(width) * usize::from(height)).collect())
            .filter(|picture| picture.height() == height)
    }
}

/// Four points a byte with the first one lowest, rows without a gap, white behind the last point; as two digits each.
pub(crate) fn pack(points: &[u8]) -> String {
    let byte = |four: &[u8]| four.iter().rev().fold(0_u8, |byte, point| byte << 2 | point & 3);
    points.chunks(4).map(|four| format!("{:02X}", byte(four))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_packed_as_in_the_makers_notes() {
        // Their example: 1, 3, 2, 0 from left to right.
        assert_eq!(pack(&[1, 3, 2, 0]), "2D");
        // Rows of three points follow each other without a gap.
        let picture = Picture::new(3, vec![1, 3, 2, 0, 3, 0]).unwrap();
        assert_eq!((picture.width(), picture.height(), picture.data().as_str()), (3, 2, "2D03"));
        assert_eq!(Picture::from_data(3, 2, "2D03"), Some(picture.clone()));
        assert_eq!(Picture::from_data(3, 2, "2d\r\n03FFFF"), Some(picture), "phones ignore what is too much");
    }

    #[test]
    fn what_is_no_picture_is_none() {
        for (width, points) in [(0, vec![]), (0, vec![0]), (2, vec![]), (2, vec![0; 3]), (1, vec![4])] {
            assert_eq!(Picture::new(width, points.clone()), None, "{width} {points:?}");
        }
        assert_eq!(Picture::new(1, vec![0; 65_536]), None, "more rows than a phone can be told of");
        for (width, height, data) in
            [(4, 2, "2D"), (4, 1, "2"), (4, 1, ""), (4, 1, "XY"), (0, 1, "2D"), (65_535, 65_535, "2D")]
        {
            assert_eq!(Picture::from_data(width, height, data), None, "{width} {height} {data}");
        }
    }
}
