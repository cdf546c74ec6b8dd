//! The limit on how deep a value nests: serializers recurse, and the stack is finite.

/// The levels that a value may still nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nesting {
    levels: u8,
    /// The wrappers that may still follow in a row. They are no level of their own in JSON.
    wrappers: u8,
}

impl Nesting {
    /// The most levels of a value: 127, as many as `serde_json` reads. MySQL's JSON has 100.
    pub const LEVELS: u8 = 127;
    /// The most options and newtypes that wrap each other without a level between them.
    const WRAPPERS: u8 = 8;

    /// Returns the nesting of a value that is inside no other.
    pub const fn outermost() -> Self {
        Self { levels: Self::LEVELS, wrappers: Self::WRAPPERS }
    }

    /// Returns the nesting inside a list, a map or a struct. Returns `None` if that is too deep.
    #[must_use]
    pub fn inside(self) -> Option<Self> {
        Some(Self { levels: self.levels.checked_sub(1)?, wrappers: Self::WRAPPERS })
    }

    /// Returns the nesting inside an option or a newtype. Returns `None` if that is too deep.
    #[must_use]
    pub fn wrapped(self) -> Option<Self> {
        Some(Self { wrappers: self.wrappers.checked_sub(1)?, ..self })
    }

    /// Returns whether a document nests deeper than a value may.
    pub(crate) fn is_exceeded_by(document: &serde_json::Value) -> bool {
        Self::outermost().is_too_little_for(document)
    }

    /// Recurses no deeper than the levels that are left.
    fn is_too_little_for(self, document: &serde_json::Value) -> bool {
        use serde_json::Value;
        let (Value::Array(_) | Value::Object(_)) = document else { return false };
        let Some(inside) = self.inside() else { return true };
        match document {
            Value::Array(items) => items.iter().any(|item| inside.is_too_little_for(item)),
            Value::Object(members) => members.values().any(|member| inside.is_too_little_for(member)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_depth_is_that_of_serde_json() {
        for (levels, fits) in [(126, true), (127, true), (128, false)] {
            let text = "[".repeat(levels) + &"]".repeat(levels);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), fits, "{levels}");
            let document = (1..levels).fold(serde_json::json!([]), |inner, _| serde_json::json!([inner]));
            assert_eq!(!Nesting::is_exceeded_by(&document), fits, "{levels}");
            let document = (1..levels).fold(serde_json::json!({}), |inner, _| serde_json::json!({ "a": inner }));
            assert_eq!(!Nesting::is_exceeded_by(&document), fits, "{levels}");
        }
    }
}
