//! Texts that obey a rule: a private constructor checks it, so that a value that exists is legal.

/// A type of text: `text_type!(Name, ErrorType, error, rule)`, where `rule` says of a `&str` whether it is legal.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $error_type:ty, $error:expr, $legal:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String", into = "String"))]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// Names the rule that was broken.
            pub fn new(text: impl Into<String>) -> Result<Self, $error_type> {
                let text = text.into();
                let legal: fn(&str) -> bool = $legal;
                if legal(&text) { Ok(Self(text)) } else { Err($error) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error_type;

            fn try_from(text: String) -> Result<Self, $error_type> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }
    };
}

pub(crate) use text_type;
