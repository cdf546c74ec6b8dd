use std::collections::HashMap;

use crate::rules::charset::Charset;

/// The collations of MySQL 9.7 and of MariaDB 10.11, by charset.
const COLLATIONS: &str = include_str!("collations.txt");

#[test]
fn every_collation_of_both_servers_has_its_charset() {
    let mut charsets = HashMap::new();
    for line in COLLATIONS.lines() {
        let (charset, ranges) = line.split_once(' ').unwrap();
        for range in ranges.split(',') {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            charsets.extend((from.parse().unwrap()..=to.parse::<u16>().unwrap()).map(|number| (number, charset)));
        }
    }
    assert_eq!(charsets.len(), 1309);
    for number in 0..=u16::MAX {
        let expect = match charsets.get(&number) {
            Some(&("utf8mb3" | "utf8mb4")) => Some(Charset::Utf8),
            Some(&"latin1") => Some(Charset::Latin1),
            Some(&"binary") => Some(Charset::Binary),
            Some(&("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7")) => None,
            Some(_) => Some(Charset::Ascii),
            None => continue,
        };
        assert_eq!(Charset::of(number), expect, "{number}: {:?}", charsets.get(&number));
    }
}

#[track_caller]
fn check(charset: Charset, bytes: &[u8], expect: Option<&str>) {
    let mut text = String::new();
    let read = charset.read(bytes, &mut text).map(|()| text.as_str());
    assert_eq!(read, expect, "{charset:?}");
}

#[test]
fn bytes_are_read_by_their_charset() {
    check(Charset::Utf8, "é€😀".as_bytes(), Some("é€😀"));
    check(Charset::Utf8, b"caf\xe9", None);
    check(Charset::Latin1, b"caf\xe9 \x80\x81\x9f\xa0\xff", Some("café €\u{81}Ÿ\u{a0}ÿ"));
    check(Charset::Ascii, b"cafe", Some("cafe"));
    check(Charset::Ascii, b"caf\xe9", None);
    check(Charset::Binary, "é".as_bytes(), Some("é"));
    check(Charset::Binary, b"\xff", None);
}
