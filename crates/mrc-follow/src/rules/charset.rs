//! Charsets: text of a column as UTF-8.

/// The charset of a collation, as far as its texts can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// `utf8mb3` and `utf8mb4`.
    Utf8,
    /// `latin1`, which is Windows-1252.
    Latin1,
    /// Bytes.
    Binary,
    /// Another one, in which bytes below 128 are ASCII.
    Ascii,
}

impl Charset {
    /// Returns the charset of a collation. Returns `None` if it isn't known, or isn't based on
    /// ASCII, as `utf16` and `swe7` aren't.
    pub(crate) fn of(collation: u16) -> Option<Self> {
        // MariaDB's collations with NO PAD have the numbers of the others, plus 1,024.
        let number = if (1024..2048).contains(&collation) { collation - 1024 } else { collation };
        Some(match number {
            63 => Self::Binary,
            5 | 8 | 15 | 31 | 47..=49 | 94 => Self::Latin1,
            33 | 45 | 46 | 76 | 83 | 192..=215 | 223..=247 | 255..=323 | 576..=578 | 608..=610 | 2048..=2559 => {
                Self::Utf8
            }
            // swe7, ucs2, utf16, utf16le, utf32
            10 | 17 | 35 | 54..=56 | 60..=62 | 82 | 90 => return None,
            1..=99 | 248..=250 => Self::Ascii,
            _ => return None,
        })
    }

    /// Appends a text. Returns `None` if the bytes can't be read for certain.
    pub(crate) fn read(self, bytes: &[u8], out: &mut String) -> Option<()> {
        match self {
            Self::Utf8 | Self::Binary => out.push_str(std::str::from_utf8(bytes).ok()?),
            Self::Ascii if !bytes.is_ascii() => return None,
            Self::Latin1 | Self::Ascii => out.extend(bytes.iter().map(|byte| latin1(*byte))),
        }
        Some(())
    }
}

fn latin1(byte: u8) -> char {
    /// The characters of 128 to 159. The server keeps the control characters where Windows has none.
    const SPECIAL: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let special = byte.checked_sub(128).and_then(|at| SPECIAL.get(usize::from(at)));
    special.copied().unwrap_or(char::from(byte))
}
