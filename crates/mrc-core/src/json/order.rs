//! The order of an object's members, if names repeat or look like array indexes.

use std::collections::HashMap;

/// The most names that are compared pair by pair, without a map.
const FEW: usize = 16;

/// Returns the order of the members, as indexes into `names`. Returns `None` if it is the same.
///
/// Of members with one name, the last stays, at the first's place, as in JavaScript and Python.
/// With `indexes_first`, names that are array indexes lead, ascending, as in JavaScript.
pub(crate) fn member_order(names: &[&[u8]], indexes_first: bool) -> Option<Vec<usize>> {
    let has_index = indexes_first && names.iter().any(|name| array_index(name).is_some());
    if !has_index && names.len() <= FEW && !repeats(names) {
        return None;
    }
    let mut order = last_at_first(names);
    if has_index {
        order.sort_by_key(|member| names.get(*member).and_then(|name| array_index(name)).map_or(u64::MAX, u64::from));
    }
    let kept = order.len() == names.len() && order.iter().enumerate().all(|(place, member)| place == *member);
    if kept { None } else { Some(order) }
}

fn last_at_first(names: &[&[u8]]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(names.len());
    let mut places = HashMap::with_capacity(names.len());
    for (member, name) in names.iter().enumerate() {
        let place = *places.entry(*name).or_insert(order.len());
        match order.get_mut(place) {
            Some(slot) => *slot = member,
            None => order.push(member),
        }
    }
    order
}

fn repeats(names: &[&[u8]]) -> bool {
    names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|earlier| earlier == name))
}

/// Returns the value of an ECMAScript array index: digits without a leading zero, up to 2^32 - 2.
fn array_index(name: &[u8]) -> Option<u32> {
    let leads_with_zero = name.first() == Some(&b'0') && name.len() > 1;
    if name.is_empty() || name.len() > 10 || leads_with_zero || !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = name.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    u32::try_from(value).ok().filter(|index| *index != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], indexes_first: bool, expect: &[&str]) {
        let bytes: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let order = member_order(&bytes, indexes_first).unwrap_or_else(|| (0..names.len()).collect());
        assert_eq!(order.iter().map(|at| names[*at]).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn indexes_lead_in_javascript_alone() {
        check(&["b", "10", "9", "01", "-1", ""], true, &["9", "10", "b", "01", "-1", ""]);
        check(&["b", "10", "9"], false, &["b", "10", "9"]);
        check(&["4294967296", "4294967295", "4294967294"], true, &["4294967294", "4294967296", "4294967295"]);
    }

    #[test]
    fn the_last_of_a_name_stands_where_the_first_stood() {
        let names: Vec<&[u8]> = vec![b"a", b"b", b"a", b"c", b"a"];
        assert_eq!(member_order(&names, true), Some(vec![4, 1, 3]));
        let mut many: Vec<Vec<u8>> = (0..40).map(|n| format!("n{n}").into_bytes()).collect();
        many.push(b"n1".to_vec());
        let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        let order = member_order(&many, true).unwrap();
        assert_eq!((order.len(), order[1], order[2]), (40, 40, 2));
    }

    #[test]
    fn nothing_to_do_is_none() {
        assert_eq!(member_order(&[b"a", b"b"], true), None);
        assert_eq!(member_order(&[b"0", b"1", b"b"], true), None);
    }
}
