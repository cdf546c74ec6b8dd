//! Keys of random params: the peers' and ours are equal to the byte.

use bytes::Bytes;
use mrc::Params;
use mrc::key::{KeyScheme, Value};
use mrc::rows::Date;
use mrc_tests::Peer;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use super::KeyFormat;

const LISTS: usize = 500;

#[tokio::test]
async fn as_the_npm_peer_makes_them() {
    check(KeyFormat::TypeScript, &Peer::npm("", "").await).await;
}

#[tokio::test]
async fn as_the_pypi_peer_makes_them() {
    check(KeyFormat::Python, &Peer::pypi("", "").await).await;
}

async fn check(format: KeyFormat, peer: &Peer) {
    let seed: u64 = rand::random();
    let mut rng = StdRng::seed_from_u64(seed);
    for at in 0..LISTS {
        let (mut params, mut theirs, mut names) = (Params::new(), Vec::new(), Vec::new());
        for _ in 0..rng.random_range(0..6) {
            let (ours, json) = value(format, true, &mut rng);
            let name = text(&mut rng).replace('=', "") + "N";
            params.push(name.clone(), ours);
            theirs.push(json);
            names.push(name);
        }
        let query = text(&mut rng);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let expect = peer.key(&query, &theirs, &names).await;
        let ours = KeyScheme::new(format).key(&query, &params).unwrap();
        assert_eq!(ours.as_str(), expect, "seed {seed}, list {at}: {params:?}");
    }
}

fn value(format: KeyFormat, lists: bool, rng: &mut StdRng) -> (Value, Json) {
    let exact = format == KeyFormat::Python;
    match rng.random_range(0..if lists { 10 } else { 8 }) {
        0 => (Value::Null, Json::Null),
        1 => {
            let bool = rng.random_bool(0.5);
            (bool.into(), json!(bool))
        }
        2 => {
            // JavaScript's integers end at 2^53.
            let bits = rng.random_range(0..if exact { 64 } else { 53 });
            let int = rng.random::<i64>() >> (63 - bits);
            (int.into(), json!(int))
        }
        3 if exact => {
            let int = rng.random::<u64>();
            (int.into(), json!(int))
        }
        3 | 4 => {
            let float = float(rng);
            (float.into(), json!(float))
        }
        5 => date(lists, rng),
        6 => bytes(format, rng),
        7 => {
            let text = text(rng);
            (text.clone().into(), json!(text))
        }
        _ => {
            let items: Vec<_> = (0..rng.random_range(1..5)).map(|_| value(format, false, rng)).collect();
            let (ours, theirs): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            (Value::List(ours), Json::Array(theirs))
        }
    }
}

fn float(rng: &mut StdRng) -> f64 {
    const EDGES: [f64; 12] =
        [0.0, -0.0, 1.0, 1e-7, 1e-5, 1e-4, 1e15, 1e16, 1e21, 5e-324, f64::MAX, 123_456_789_012_345_680_000.0];
    match rng.random_range(0..4) {
        0 => *EDGES.choose(rng).unwrap(),
        1 => f64::from(rng.random_range(-1_000_000..1_000_000)) / 100.0,
        2 => rng.random::<f64>() * 10f64.powi(rng.random_range(-12..25)),
        _ => Some(f64::from_bits(rng.random())).filter(|float| float.is_finite()).unwrap_or(0.1),
    }
}

fn date(alone: bool, rng: &mut StdRng) -> (Value, Json) {
    let date = Date::new(rng.random_range(1000..=9999), rng.random_range(1..=12), rng.random_range(1..=28)).unwrap();
    if alone && rng.random_bool(0.3) {
        return (date.into(), json!({"$date": date.to_string()}));
    }
    let (hour, minute, second) = (rng.random_range(0..24), rng.random_range(0..60), rng.random_range(0..60));
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}Z");
    (date.at(hour, minute, second, 0).unwrap().into(), json!({"$date": text}))
}

fn bytes(format: KeyFormat, rng: &mut StdRng) -> (Value, Json) {
    let mut bytes: Vec<u8> = (0..rng.random_range(0..12)).map(|_| rng.random()).collect();
    if format == KeyFormat::TypeScript && rng.random_bool(0.5) {
        bytes = text(rng).into_bytes();
    }
    (Bytes::from(bytes.clone()).into(), json!({"$bytes": base64(&bytes)}))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        let digit = |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
        text.extend((0..4).map(|at| if at <= chunk.len() { digit(at) } else { '=' }));
    }
    text
}

/// Returns a text of letters that every Unicode version has, and of characters that `repr` escapes.
fn text(rng: &mut StdRng) -> String {
    const KINDS: [(u32, u32); 9] = [
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0x00, 0x1f),
        (0x7f, 0x17f),
        (0x410, 0x44f),
        (0x4e00, 0x4fff),
        (0x2028, 0x2029),
        (0xe000, 0xe010),
        (0x1f600, 0x1f64f),
    ];
    const ODD: [char; 10] = ['\'', '"', '\\', '_', '=', ',', '\u{200b}', '\u{feff}', '\u{ad}', '\u{a0}'];
    (0..rng.random_range(0..10))
        .map(|_| {
            if rng.random_bool(0.2) {
                return *ODD.choose(rng).unwrap();
            }
            let (first, last) = *KINDS.choose(rng).unwrap();
            char::from_u32(rng.random_range(first..=last)).unwrap()
        })
        .collect()
}
