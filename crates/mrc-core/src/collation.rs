//! Texts that a database may take for one.

use std::collections::{BTreeSet, HashMap};

/// Returns the places of those texts that some collation of MySQL or MariaDB may take for another
/// of them. Two texts of which one isn't returned are different in every collation.
///
/// Collations fold case, and the spaces at the end. Some take `i`, `j` and `y` for one letter, or
/// `u`, `v` and `w`. Nothing is assumed about texts with other characters than letters, digits,
/// spaces and ``_-./:@+``: they may be equal to any text.
#[doc(hidden)]
#[must_use]
pub fn maybe_equal(texts: &[&str]) -> Vec<usize> {
    let mut by_skeleton = HashMap::<String, Vec<usize>>::new();
    for (place, text) in texts.iter().enumerate() {
        match skeleton(text) {
            Some(skeleton) => by_skeleton.entry(skeleton).or_default().push(place),
            None => return (0..texts.len()).collect(),
        }
    }
    let mut places: Vec<usize> = by_skeleton.into_values().filter(|places| places.len() > 1).flatten().collect();
    places.sort_unstable();
    places
}

/// Returns the common form of all texts that may be equal to this one. Returns `None` if any may
/// be.
///
/// Of each run of letters it has only which ones there are, since MySQL's Hungarian takes `ssz` for
/// `szsz`, and its Lithuanian ignores the `h` of `ch`.
fn skeleton(text: &str) -> Option<String> {
    let (mut out, mut letters) = (String::with_capacity(text.len()), BTreeSet::new());
    for byte in text.trim_end_matches(' ').bytes() {
        match byte.to_ascii_lowercase() {
            b'j' | b'y' => _ = letters.insert('i'),
            b'v' | b'w' => _ = letters.insert('u'),
            letter @ b'a'..=b'z' => _ = letters.insert(char::from(letter)),
            other @ (b'0'..=b'9' | b'_' | b'-' | b' ' | b'.' | b'/' | b':' | b'@' | b'+') => {
                push(&mut letters, &mut out);
                out.push(char::from(other));
            }
            _ => return None,
        }
    }
    push(&mut letters, &mut out);
    Some(out)
}

fn push(letters: &mut BTreeSet<char>, out: &mut String) {
    if letters.contains(&'c') {
        letters.remove(&'h');
    }
    out.extend(std::mem::take(letters));
}

#[cfg(test)]
mod tests {
    use super::maybe_equal;

    #[test]
    fn texts_that_may_be_equal() {
        let none: [usize; 0] = [];
        assert_eq!(maybe_equal(&["Ann", "Ben", "a-1", "a_1", "", "7"]), none);
        assert_eq!(maybe_equal(&["Ann", "Ben", "ann ", "J", "y", "ch-1", "C-1"]), [0, 2, 3, 4, 5, 6]);
        assert_eq!(maybe_equal(&["asszony-1", "aszszony-1", "asszony-2", "s-1"]), [0, 1]);
        assert_eq!(maybe_equal(&["Mueller", "Ben", "Müller"]), [0, 1, 2]);
    }
}
