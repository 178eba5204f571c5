//! Values with rules of their own.

use std::{fmt::Display, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use super::MixPart;
use crate::Mix;

const MOST: f64 = 1e6;

/// A whole number or one with a fraction, from 0 on.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    match (0.0..=MOST).contains(&number) {
        true => Ok(number),
        false => Err(D::Error::custom(format_args!("is {number}; expected a number from 0 to {MOST}"))),
    }
}

pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    number(deserializer).map(Some)
}

pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    number(deserializer).map(Duration::from_secs_f64).map(Some)
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D, from: u32, to: u32) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let inside = u32::try_from(number).ok().filter(|number| (from..=to).contains(number));
    inside.ok_or_else(|| D::Error::custom(format_args!("is {number}; expected {from} to {to}")))
}

pub(super) fn phones<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole(deserializer, 1, 1_000_000).map(Some)
}

pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    whole(deserializer, 0, 22).map(|version| u8::try_from(version).ok())
}

pub(super) fn parsed<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

pub(super) fn mix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Mix>, D::Error> {
    let mix = MixPart::deserialize(deserializer)?.mix();
    mix.map(Some).ok_or_else(|| D::Error::custom("no kind has a part: at least one must be above 0"))
}
