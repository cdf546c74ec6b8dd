//! Which texts a collation may take for equal, beyond what [`fold`](super::text::fold) folds.

use std::collections::BTreeMap;
use std::ops::Range;

use super::text::fold;

/// A follower's knowledge about a collation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollationFolding {
    /// Whether only the same text is equal, but for spaces at the end.
    is_exact: bool,
    /// A bit for each ASCII character that may be equal to another one, beyond case.
    uncertain: u128,
}

impl CollationFolding {
    /// The folding of `binary` and of collations that end in `_bin`.
    pub const EXACT: Self = Self { is_exact: true, uncertain: 0 };
    /// The folding of a collation about which nothing is known: every text is uncertain.
    pub const UNKNOWN: Self = Self { is_exact: false, uncertain: u128::MAX };

    /// A collation that folds nothing but case, for tests.
    #[cfg(test)]
    pub(super) const CASE_FOR_TESTS: Self = Self { is_exact: false, uncertain: 0 };

    /// Returns the SQL that asks a server for the texts of one or two characters that are equal,
    /// and for doubled pairs of letters. Pass its rows to [`from_rows`](Self::from_rows). Takes
    /// some milliseconds.
    ///
    /// Returns `None` if a name isn't one: letters, digits and `_`.
    pub fn sql(charset: &str, collation: &str) -> Option<String> {
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name(charset) || !is_name(collation) {
            return None;
        }
        let numbers = |codes: Range<u8>| -> String {
            let codes: Vec<String> = codes.map(|code| format!("SELECT {code} AS n")).collect();
            codes.join(" UNION ALL ")
        };
        let (all, letters) = (numbers(32..127), numbers(97..123));
        // Hungarian doubles a pair by its first letter: MySQL takes `ssz` for `szsz`. A triple is
        // doubled so too, and its letters are those of pairs.
        let doubled = ["HEX(a.n), HEX(a.n), HEX(b.n)", "HEX(a.n), HEX(b.n), HEX(a.n), HEX(b.n)"].map(|digits| {
            format!(
                "UNION ALL SELECT CONVERT(UNHEX(CONCAT({digits})) USING latin1) \
                 FROM ({letters}) AS a, ({letters}) AS b "
            )
        });
        // The characters come from hexadecimal digits, so that the connection's charset has no
        // part.
        Some(format!(
            "SELECT COUNT(*), GROUP_CONCAT(HEX(s) SEPARATOR ',') FROM (\
             SELECT CONVERT(UNHEX(HEX(a.n)) USING latin1) AS s FROM ({all}) AS a \
             UNION ALL SELECT CONVERT(UNHEX(CONCAT(HEX(a.n), HEX(b.n))) USING latin1) \
             FROM ({all}) AS a, ({all}) AS b {}) AS texts \
             GROUP BY CONVERT(s USING {charset}) COLLATE {collation} HAVING COUNT(*) > 1",
            doubled.concat()
        ))
    }

    /// Reads the rows of [`sql`](Self::sql): how many texts are equal, and their bytes in
    /// hexadecimal.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = (u64, &'a str)>) -> Self {
        let mut groups = Vec::new();
        for (count, hex) in rows {
            let texts: Option<Vec<String>> = hex.split(',').map(text).collect();
            match texts {
                // The server cuts long lists (`group_concat_max_len`).
                Some(texts) if u64::try_from(texts.len()) == Ok(count) => groups.push(texts),
                _ => return Self::UNKNOWN,
            }
        }
        let mut uncertain = 0_u128;
        // First the single characters, so that longer texts of them explain themselves.
        let mut same: BTreeMap<char, char> = BTreeMap::new();
        for wanted in 1..=4 {
            for group in groups.iter().filter(|group| group.iter().map(String::len).max() == Some(wanted)) {
                let plain = |text: &String| -> String {
                    fold(text).chars().map(|char| same.get(&char).copied().unwrap_or(char)).collect()
                };
                let Some(first) = group.first().map(plain) else { continue };
                if group.iter().all(|text| plain(text) == first) {
                    continue;
                }
                let chars: Vec<char> = group.iter().flat_map(|text| fold(text).chars().collect::<Vec<_>>()).collect();
                for char in &chars {
                    uncertain |= bit(*char) | bit(char.to_ascii_uppercase());
                }
                if let (1, Some(to)) = (wanted, chars.first()) {
                    same.extend(chars.iter().map(|char| (*char, *to)));
                }
            }
        }
        Self { is_exact: false, uncertain }
    }

    /// Returns whether a row's text is equal only to texts with the same folding. `None` of those
    /// that aren't ASCII: an exact collation has no other text that is equal.
    pub(super) fn is_certain(&self, text: &str) -> bool {
        self.is_exact || text.chars().all(|char| matches!(char, ' '..='~') && self.uncertain & bit(char) == 0)
    }
}

fn text(hex: &str) -> Option<String> {
    let digits = hex.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

fn bit(char: char) -> u128 {
    if char.is_ascii() { 1 << u32::from(char) } else { 0 }
}
