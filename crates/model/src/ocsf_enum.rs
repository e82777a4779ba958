//! One definition for an OCSF enumeration: id, caption and both directions.

/// Declares an enum whose variants carry an OCSF id and caption. The first variant is what unknown ids become.
macro_rules! ocsf_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $id:literal $variant:ident $caption:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[doc = $caption] $variant,)+
        }

        impl $name {
            /// Every variant, in OCSF's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The OCSF id.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self { $(Self::$variant => $id),+ }
            }

            /// OCSF's caption.
            #[must_use]
            pub const fn caption(self) -> &'static str {
                match self { $(Self::$variant => $caption),+ }
            }

            /// By OCSF id; `None` for ids this version does not know.
            #[must_use]
            pub fn from_id(id: u32) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.id() == id)
            }
        }
    };
}

pub(crate) use ocsf_enum;
