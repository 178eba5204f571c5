//! Single values and sequences of them.

use alloc::{boxed::Box, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Field, FieldError, Kind, Reader, Value, Walk, Wire, Writer};

macro_rules! integer {
    ($type:ty, $kind:ident, $width:literal, |$value:ident| $show:expr) => {
        impl Wire for $type {
            const KIND: Kind = Kind::$kind;

            #[inline]
            fn absent() -> Self {
                0
            }

            #[inline]
            fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
                Ok(r.take::<$width>()?.map_or(0, |bytes| Self::from_le_bytes(*bytes)))
            }

            /// At once when all are there: soft key sets have 512 of them.
            #[inline]
            fn decode_array<const N: usize>(r: &mut Reader<'_>) -> Result<[Self; N], FieldError> {
                let mut slots = [0; N];
                if let Some(bytes) = r.peek().get(..N * $width) {
                    for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks().0) {
                        *slot = Self::from_le_bytes(*bytes);
                    }
                    r.take_up_to(N * $width);
                    return Ok(slots);
                }
                for slot in &mut slots {
                    *slot = r.part()?;
                }
                Ok(slots)
            }

            #[inline]
            fn encode_array<const N: usize>(slots: &[Self; N], w: &mut Writer<'_>) {
                w.put(slots.map(Self::to_le_bytes).as_flattened());
            }

            #[inline]
            fn encode(&self, w: &mut Writer<'_>) {
                w.put(&self.to_le_bytes());
            }

            fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
                let $value = *self;
                walk.value(field, $width, $show);
            }
        }
    };
}

integer!(u8, U8, 1, |value| Value::Unsigned(value.into()));
integer!(u16, U16, 2, |value| Value::Unsigned(value.into()));
integer!(u32, U32, 4, |value| Value::Unsigned(value));
integer!(i32, I32, 4, |value| Value::Signed(value));

macro_rules! address {
    ($type:ty, $kind:ident, $width:literal) => {
        impl Wire for $type {
            const KIND: Kind = Kind::$kind;

            fn absent() -> Self {
                Self::UNSPECIFIED
            }

            #[inline]
            fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
                Ok(r.take::<$width>()?.map_or(Self::UNSPECIFIED, |bytes| Self::from(*bytes)))
            }

            #[inline]
            fn encode(&self, w: &mut Writer<'_>) {
                w.put(&self.octets());
            }

            fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
                walk.value(field, $width, Value::Address(IpAddr::from(*self)));
            }
        }
    };
}

address!(Ipv4Addr, Ipv4, 4);
address!(Ipv6Addr, Ipv6, 16);

impl<T: Wire, const N: usize> Wire for [T; N] {
    const KIND: Kind = Kind::Array { of: &T::KIND, len: N };

    fn absent() -> Self {
        core::array::from_fn(|_| T::absent())
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        T::decode_array(r)
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        T::encode_array(self, w);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.slots(field, self, u32::MAX);
    }
}

/// A sequence whose length an earlier field says.
pub trait List: Wire {
    /// One element.
    type Element: Wire;
    /// What an element is.
    const ELEMENT: &'static Kind = &<Self::Element as Wire>::KIND;

    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Adds one.
    fn push(&mut self, element: Self::Element);
    /// Shows the first `count` elements.
    fn visit_used(&self, walk: &mut Walk<'_>, field: &'static Field, count: u32) {
        let _ = count;
        self.visit(walk, field);
    }
    /// Adds what the body has until there are `wanted`. Memory grows with what is really there, so that a
    /// large count alone costs nothing.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    fn fill(&mut self, r: &mut Reader<'_>, name: &'static str, wanted: usize) -> Result<(), FieldError> {
        while self.len() < wanted && !r.at_end() {
            let element = r.field(name)?;
            self.push(element);
        }
        Ok(())
    }
}

impl<T: Wire> List for Vec<T> {
    type Element = T;

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn push(&mut self, element: T) {
        Self::push(self, element);
    }

    fn visit_used(&self, walk: &mut Walk<'_>, field: &'static Field, count: u32) {
        walk.slots(field, self, count);
    }
}

impl<T: Wire> Wire for Vec<T> {
    const KIND: Kind = Kind::List { of: &T::KIND, max: usize::MAX };

    fn absent() -> Self {
        Self::new()
    }

    /// Reads to the end of the body.
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        let mut list = Self::new();
        while !r.at_end() {
            list.push(r.part()?);
        }
        Ok(list)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.iter().for_each(|element| element.encode(w));
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.slots(field, self, u32::MAX);
    }
}

impl<T: Wire> Wire for Box<T> {
    const KIND: Kind = T::KIND;
    const RULE: super::LayoutRule = T::RULE;

    fn absent() -> Self {
        Self::new(T::absent())
    }

    /// The room first: the compiler can then write fields where they stay.
    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        let place = Self::new_uninit();
        Ok(Box::write(place, T::decode(r)?))
    }

    fn encode(&self, w: &mut Writer<'_>) {
        T::encode(self, w);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        T::visit(self, walk, field);
    }

    fn visit_fields(&self, walk: &mut Walk<'_>) {
        T::visit_fields(self, walk);
    }
}

/// A value set that others may extend: values without a name are kept.
pub trait OpenEnum: Copy + From<u32> + Into<u32> {
    /// Name and usual width.
    const KIND: Kind;
    /// The standard name of the value; `"Unknown"` when it has none.
    fn standard_name(self) -> &'static str;
}

/// Declares an open enumeration: `Variant = value "standard name"`, each with its documentation.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$doc:meta])* $variant:ident = $value:literal $text:literal, )* }
    ) => {
        $(#[$meta])*
        ///
        /// Values that are not listed are kept in `Unknown`; make values with `From<u32>`, so that each has
        /// one form.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$doc])* #[doc = concat!("`", stringify!($value), "` ", $text)] $variant, )*
            /// A value that has no name here.
            Unknown(u32),
        }

        impl $name {
            /// All values that have a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The standard name; `"Unknown"` when the value has none.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Unknown(_) => "Unknown",
                }
            }
        }

        impl From<u32> for $name {
            #[inline]
            fn from(value: u32) -> Self {
                match value {
                    $( $value => Self::$variant, )*
                    other => Self::Unknown(other),
                }
            }
        }

        impl From<$name> for u32 {
            #[inline]
            fn from(value: $name) -> Self {
                match value {
                    $( $name::$variant => $value, )*
                    $name::Unknown(other) => other,
                }
            }
        }

        impl Default for $name {
            /// The value 0.
            fn default() -> Self {
                Self::from(0)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    Self::Unknown(value) => write!(f, "Unknown({value})"),
                    known => f.write_str(known.name()),
                }
            }
        }

        impl $crate::codec::OpenEnum for $name {
            const KIND: $crate::codec::Kind = $crate::codec::Kind::Enum { name: stringify!($name), width: 4 };

            fn standard_name(self) -> &'static str {
                self.name()
            }
        }

        impl $crate::codec::Wire for $name {
            const KIND: $crate::codec::Kind = <Self as $crate::codec::OpenEnum>::KIND;

            #[inline]
            fn absent() -> Self {
                Self::default()
            }

            #[inline]
            fn decode(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::FieldError> {
                <u32 as $crate::codec::Wire>::decode(r).map(Self::from)
            }

            #[inline]
            fn encode(&self, w: &mut $crate::codec::Writer<'_>) {
                $crate::codec::Wire::encode(&u32::from(*self), w);
            }

            fn visit(&self, walk: &mut $crate::codec::Walk<'_>, field: &'static $crate::codec::Field) {
                let value = $crate::codec::Value::Enum { raw: (*self).into(), name: self.name() };
                walk.value(field, 4, value);
            }
        }
    };
}

pub(crate) use open_enum;
