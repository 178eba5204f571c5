//! Values whose form an earlier field chooses.

use super::{Field, FieldError, Kind, Reader, Wire};

/// A field whose member an earlier field chooses.
pub trait Union: Wire {
    /// Reads the member that belongs to `selector`.
    ///
    /// # Errors
    /// As [`Wire::decode`].
    fn decode_as(r: &mut Reader<'_>, selector: u32) -> Result<Self, FieldError>;
}

/// The descriptor under which a part of a union is shown.
pub(crate) const fn shown_as(own: Option<&'static Field>, union: &'static Field) -> &'static Field {
    match own {
        Some(own) if !matches!(own.kind, Kind::Struct(_)) => own,
        _ => union,
    }
}

/// Declares a union: each member with the values of the choosing field that it belongs to, the last one for
/// all others. All members take the same room; [`crate::value::Spare`] fills the shorter ones.
///
/// A part that is a struct is shown under the name of the union's field, a single value under its own.
macro_rules! union {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            $(
                $(#[doc = $member_doc:literal])*
                $member:ident($($part:ident: $type:ty),+) = $when:pat,
            )*
            _ => $(#[doc = $other_doc:literal])* $other:ident($($other_part:ident: $other_type:ty),+)
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $( $(#[doc = $member_doc])* $member($($type),+), )*
            $(#[doc = $other_doc])*
            $other($($other_type),+),
        }

        const _: () = {
            use $crate::codec::{Field, FieldError, Kind, Member, Reader, Union, Walk, Wire, Writer};

            /// The descriptors of a member, by its name.
            struct Parts;

            #[allow(non_upper_case_globals, reason = "named as the members are")]
            impl Parts {
                $( const $member: &'static [Field] = &[$( Parts::field::<$type>(stringify!($part)) ),+]; )*
                const $other: &'static [Field] = &[$( Parts::field::<$other_type>(stringify!($other_part)) ),+];

                const fn field<T: Wire>(name: &'static str) -> Field {
                    Field { name, kind: T::KIND, since: 0, until: u8::MAX, by: None, doc: "" }
                }
            }

            static MEMBERS: &[Member] = &[
                $( Member {
                    name: stringify!($member),
                    when: stringify!($when),
                    parts: Parts::$member,
                    doc: concat!($($member_doc),*),
                }, )*
                Member {
                    name: stringify!($other),
                    when: "_",
                    parts: Parts::$other,
                    doc: concat!($($other_doc),*),
                },
            ];

            impl Default for $name {
                fn default() -> Self {
                    Self::$other($(<$other_type as Wire>::absent()),+)
                }
            }

            impl Wire for $name {
                const KIND: Kind = Kind::Union { name: stringify!($name), members: MEMBERS };

                fn absent() -> Self {
                    Self::default()
                }

                #[inline]
                fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
                    Ok(Self::$other($(r.part::<$other_type>()?),+))
                }

                #[inline]
                fn encode(&self, w: &mut Writer<'_>) {
                    match self {
                        $( Self::$member($($part),+) => { $( $part.encode(w); )+ } )*
                        Self::$other($($other_part),+) => { $( $other_part.encode(w); )+ }
                    }
                }

                fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
                    match self {
                        $( Self::$member($($part),+) => {
                            let mut own = Parts::$member.iter();
                            $( $part.visit(walk, $crate::codec::shown_as(own.next(), field)); )+
                        } )*
                        Self::$other($($other_part),+) => {
                            let mut own = Parts::$other.iter();
                            $( $other_part.visit(walk, $crate::codec::shown_as(own.next(), field)); )+
                        }
                    }
                }
            }

            impl Union for $name {
                #[inline]
                fn decode_as(r: &mut Reader<'_>, selector: u32) -> Result<Self, FieldError> {
                    match selector {
                        $( $when => Ok(Self::$member($(r.part::<$type>()?),+)), )*
                        _ => Self::decode(r),
                    }
                }
            }
        };
    };
}

pub(crate) use union;
