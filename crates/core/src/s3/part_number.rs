//! Which part of an upload.

use super::MAX_PARTS;

/// The number of a part: 1..=10,000. Parts follow each other in order of number.
///
/// **Source:** API reference, UploadPart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "u64", into = "u64"))]
pub struct PartNumber(u16);

impl PartNumber {
    /// The part of that number, or `None` where there is none.
    pub fn new(number: u64) -> Option<Self> {
        let number = u16::try_from(number).ok()?;
        (1..=MAX_PARTS).contains(&u32::from(number)).then_some(Self(number))
    }

    /// The part `index`, counted from 0 as parts of a plan are.
    pub fn from_index(index: u32) -> Option<Self> {
        Self::new(u64::from(index) + 1)
    }

    /// The number, from 1.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }

    /// Counted from 0.
    pub fn index(self) -> u32 {
        self.get() - 1
    }
}

impl From<PartNumber> for u64 {
    fn from(number: PartNumber) -> Self {
        Self::from(number.0)
    }
}

impl TryFrom<u64> for PartNumber {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("a part number is 1 to 10000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_from_one_to_ten_thousand() {
        for number in [0, 10_001, 65_536, 65_537, u64::MAX] {
            assert_eq!(PartNumber::new(number), None, "{number}");
        }
        let last = PartNumber::from_index(9_999).unwrap();
        assert_eq!((last.get(), last.index(), PartNumber::from_index(10_000)), (10_000, 9_999, None));
        assert_eq!(PartNumber::from_index(u32::MAX), None);
    }
}
