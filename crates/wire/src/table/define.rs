//! The macro that turns the table into enums and dispatch.

/// See `list.rs` for how rows look.
macro_rules! messages {
    (
        station { $( $s_id:literal $s_held:ident $s_name:ident $s_std:literal $s_min:literal $s_kind:ident $s_cat:ident
            $(answers $s_answers:literal)?, )* }
        opaque { $( $so_id:literal $so_name:ident $so_std:literal $so_min:literal $so_kind:ident $so_cat:ident
            $(answers $so_answers:literal)?, )* }
        manager { $( $m_id:literal $m_held:ident $m_name:ident $m_std:literal $m_min:literal $m_kind:ident $m_cat:ident
            $(answers $m_answers:literal)?, )* }
        opaque { $( $mo_id:literal $mo_name:ident $mo_std:literal $mo_min:literal $mo_kind:ident $mo_cat:ident
            $(answers $mo_answers:literal)?, )* }
        forms { $( $f_id:literal length $f_length:literal $f_name:ident, )* }
        both { $( $b_id:literal $b_held:ident $b_name:ident $b_std:literal $b_min:literal $b_kind:ident $b_cat:ident
            $(answers $b_answers:literal)?, )* }
    ) => {
        /// Every message that is known, in the order of ids.
        pub static MESSAGES: [$crate::MessageInfo; ROWS.len()] = $crate::table::info::sorted(ROWS);

        const ROWS: [$crate::MessageInfo; [$($s_id,)* $($so_id,)* $($m_id,)* $($mo_id,)* $($b_id,)*].len()] = [
            $( $crate::table::define::row!(
                StationToManager, $s_id, $s_name, $s_std, $s_min, $s_kind, $s_cat, true,
                <message::$s_name as $crate::codec::Wire>::DOC,
                <message::$s_name as $crate::codec::Wire>::KIND.fields() $(, $s_answers)?
            ), )*
            $( $crate::table::define::row!(
                StationToManager, $so_id, $so_name, $so_std, $so_min, $so_kind, $so_cat, false, "", &[] $(, $so_answers)?
            ), )*
            $( $crate::table::define::row!(
                ManagerToStation, $m_id, $m_name, $m_std, $m_min, $m_kind, $m_cat, true,
                <message::$m_name as $crate::codec::Wire>::DOC,
                <message::$m_name as $crate::codec::Wire>::KIND.fields() $(, $m_answers)?
            ), )*
            $( $crate::table::define::row!(
                ManagerToStation, $mo_id, $mo_name, $mo_std, $mo_min, $mo_kind, $mo_cat, false, "", &[] $(, $mo_answers)?
            ), )*
            $( $crate::table::define::row!(
                Both, $b_id, $b_name, $b_std, $b_min, $b_kind, $b_cat, true,
                <message::$b_name as $crate::codec::Wire>::DOC,
                <message::$b_name as $crate::codec::Wire>::KIND.fields() $(, $b_answers)?
            ), )*
        ];

        $crate::table::define::direction! {
            /// What a phone says.
            StationMessage, StationToManager, ManagerToStation;
            $( $s_id $s_held $s_name $s_min, )*
            $( $b_id $b_held $b_name $b_min, )*
            forms {}
        }

        $crate::table::define::direction! {
            /// What a manager says.
            ManagerMessage, ManagerToStation, StationToManager;
            $( $m_id $m_held $m_name $m_min, )*
            $( $b_id $b_held $b_name $b_min, )*
            forms { $( $f_id $f_length $f_name, )* }
        }

        $crate::table::define::named! {
            $( $s_id $s_name, )* $( $m_id $m_name, )* $( $f_id $f_name, )* $( $b_id $b_name, )*
        }
    };
}

/// One row of the table.
macro_rules! row {
    ($direction:ident, $id:literal, $name:ident, $std:literal, $min:literal, $kind:ident, $cat:ident, $modelled:literal,
     $doc:expr, $fields:expr $(, $answers:literal)?) => {
        $crate::MessageInfo {
            id: $id,
            name: stringify!($name),
            standard_name: $std,
            direction: $crate::Direction::$direction,
            kind: $crate::Kind::$kind,
            answers: $crate::table::define::answers!($($answers)?),
            category: $crate::Category::$cat,
            min_length: $min,
            fields: $fields,
            doc: $doc,
            modelled: $modelled,
        }
    };
}

macro_rules! answers {
    () => {
        None
    };
    ($id:literal) => {
        Some($id)
    };
}

/// Ids and names of the structs.
macro_rules! named {
    ($( $id:literal $name:ident, )*) => {
        $(
            impl $crate::Message for message::$name {
                const ID: u32 = $id;
                const NAME: &'static str = stringify!($name);
            }
        )*
    };
}

/// How an enum holds a message: large ones in a box, so that the enum stays small.
macro_rules! held {
    (inline $message:ty) => {
        $message
    };
    (boxed $message:ty) => {
        alloc::boxed::Box<$message>
    };
}

/// The enum of one direction.
macro_rules! direction {
    (
        $(#[$meta:meta])*
        $set:ident, $from_here:ident, $from_there:ident;
        $( $id:literal $held:ident $name:ident $min:literal, )*
        forms { $( $f_id:literal $f_length:literal $f_name:ident, )* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $set {
            $(
                #[doc = concat!("`", stringify!($id), "` [`message::", stringify!($name), "`]")]
                $name($crate::table::define::held!($held message::$name)),
            )*
            $(
                #[doc = concat!("`", stringify!($f_id), "` [`message::", stringify!($f_name), "`]")]
                $f_name(message::$f_name),
            )*
            /// Any other message, kept whole.
            Opaque($crate::Opaque),
        }

        impl $set {
            /// The id on the wire.
            pub const fn id(&self) -> u32 {
                match self {
                    $( Self::$name(_) => $id, )*
                    $( Self::$f_name(_) => $f_id, )*
                    Self::Opaque(opaque) => opaque.id,
                }
            }

            /// The message's name; `"Unknown"` for an id that nobody has documented.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$name(_) => stringify!($name), )*
                    $( Self::$f_name(_) => stringify!($f_name), )*
                    Self::Opaque(opaque) => opaque.name(),
                }
            }

            /// What is known of the message besides its layout.
            pub fn info(&self) -> Option<&'static $crate::MessageInfo> {
                $crate::message_info(self.id())
            }

            /// Decodes strictly: a message of the wrong direction, a length below the shortest known form, a
            /// field cut in the middle and a count above what there is room for are refused.
            ///
            /// # Errors
            /// Says which field is wrong, and how.
            #[inline]
            pub fn decode(
                frame: $crate::RawFrame<'_>,
                context: $crate::Context,
            ) -> Result<$crate::Received<Self>, $crate::DecodeError> {
                <Self as $crate::MessageSet>::read(frame, context, $crate::codec::Mode::Strict)
            }

            /// Decodes whatever there is and lists what is wrong with it. Encodes to the same bytes again.
            pub fn decode_lenient(frame: $crate::RawFrame<'_>, context: $crate::Context) -> $crate::Received<Self> {
                <Self as $crate::MessageSet>::read(frame, context, $crate::codec::Mode::Lenient)
                    .unwrap_or_else(|error| $crate::Received::opaque(frame, context, error.into()))
            }

            /// Shows every field by name.
            pub fn visit(&self, visitor: &mut dyn $crate::codec::Visitor) {
                let layout = $crate::codec::Layout::default();
                let mut walk = $crate::codec::Walk::new(visitor, layout, usize::MAX);
                $crate::MessageSet::visit_fields(self, &mut walk);
            }
        }

        impl $crate::table::received::Sealed for $set {}

        impl $crate::MessageSet for $set {
            #[inline]
            fn read(
                frame: $crate::RawFrame<'_>,
                context: $crate::Context,
                mode: $crate::codec::Mode,
            ) -> Result<$crate::Received<Self>, $crate::DecodeError> {
                use $crate::table::received::read;
                match (frame.id, frame.length()) {
                    $( ($f_id, $f_length) => read(frame, context, mode, $f_length, stringify!($f_name), Self::$f_name), )*
                    $( ($id, _) => read(frame, context, mode, $min, stringify!($name), Self::$name), )*
                    _ => $crate::table::received::unmodelled(
                        frame, context, $crate::Direction::$from_there, Self::Opaque,
                    ),
                }
            }

            fn id(&self) -> u32 {
                self.id()
            }

            fn rule(&self) -> $crate::codec::LayoutRule {
                match self {
                    $( Self::$name(_) => <message::$name as $crate::codec::Wire>::RULE, )*
                    $( Self::$f_name(_) => <message::$f_name as $crate::codec::Wire>::RULE, )*
                    Self::Opaque(_) => $crate::codec::LayoutRule { padded: false, ..$crate::codec::LayoutRule::BY_VERSION },
                }
            }

            #[inline]
            fn encode_body(&self, w: &mut $crate::codec::Writer<'_>) {
                match self {
                    $( Self::$name(message) => $crate::codec::Wire::encode(message, w), )*
                    $( Self::$f_name(message) => $crate::codec::Wire::encode(message, w), )*
                    Self::Opaque(opaque) => w.put(&opaque.body),
                }
            }

            fn visit_fields(&self, walk: &mut $crate::codec::Walk<'_>) {
                match self {
                    $( Self::$name(message) => $crate::codec::Wire::visit_fields(message, walk), )*
                    $( Self::$f_name(message) => $crate::codec::Wire::visit_fields(message, walk), )*
                    Self::Opaque(opaque) => opaque.visit_fields(walk),
                }
            }
        }

        $(
            impl From<message::$name> for $set {
                fn from(message: message::$name) -> Self {
                    Self::$name(message.into())
                }
            }
        )*
        $(
            impl From<message::$f_name> for $set {
                fn from(message: message::$f_name) -> Self {
                    Self::$f_name(message)
                }
            }
        )*

        impl From<$crate::Opaque> for $set {
            fn from(opaque: $crate::Opaque) -> Self {
                Self::Opaque(opaque)
            }
        }
    };
}

pub(super) use {answers, direction, held, messages, named, row};
