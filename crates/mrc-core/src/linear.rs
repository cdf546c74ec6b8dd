//! Regular expressions over bytes. A search takes linear time.

pub(crate) use regex::bytes::Regex;

/// The memory limit of one regex, in bytes. A literal byte takes about 24, a wildcard 100.
const SIZE_LIMIT: usize = 32 << 20;

/// Compiles a regex that matches a whole text. Its `.` is any byte, and each literal is its UTF-8.
pub(crate) fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
}

/// Appends a character that matches only itself.
pub(crate) fn push_escaped(char: char, out: &mut String) {
    out.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
}
