//! Regular expressions over bytes, which a search reads in linear time.

pub(crate) use regex::bytes::Regex;

/// The most memory that one regex may take, in bytes: about 24 for each literal byte, and 100 for each wildcard.
const SIZE_LIMIT: usize = 32 << 20;

/// Compiles a regex that matches a whole text. Its `.` is any one byte, and each literal is its UTF-8.
pub(crate) fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
}

/// Appends a character that stands for itself.
pub(crate) fn push_escaped(char: char, out: &mut String) {
    out.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
}
