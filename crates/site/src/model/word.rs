//! Values that are one word out of a few.

/// Declares an enumeration whose values are words of the site's file.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in a site's file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl crate::fields::FieldValue for $name {
            const EXPECTED: &'static str = "";

            fn read(
                reader: &mut crate::file::Reader<'_>,
                path: &crate::key::KeyPath,
                value: &crate::file::Value<'_>,
                _expected: &str,
            ) -> Option<Self> {
                reader.word(path, value, Self::ALL, Self::name)
            }

            fn toml(&self) -> crate::fields::Toml {
                crate::fields::Toml::text(self.name())
            }

            fn show(&self) -> String {
                self.name().into()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use words;
