//! Damaged events: any answer, but no panic and no endless loop.

use mrc_follow::event::{Decoder, Event, RawEvent};
use proptest::prelude::*;

use crate::{Binlog, FILES};

/// The damage to one event of a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Write(prop::sample::Index, [u8; 4]),
    Append(Vec<u8>),
    Kind(u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (any::<prop::sample::Index>(), any::<[u8; 4]>()).prop_map(|(at, bytes)| Damage::Write(at, bytes)),
        prop::collection::vec(any::<u8>(), 1..20).prop_map(Damage::Append),
        any::<u8>().prop_map(Damage::Kind),
    ]
}

fn apply(damage: &Damage, kind: &mut u8, body: &mut Vec<u8>) {
    let length = body.len();
    match damage {
        Damage::Append(bytes) => body.extend_from_slice(bytes),
        Damage::Kind(other) => *kind = *other,
        _ if length == 0 => {}
        Damage::Cut(at) => body.truncate(at.index(length)),
        Damage::Flip(at, bit) => body[at.index(length)] ^= 1 << bit,
        Damage::Write(at, bytes) => {
            let at = at.index(length);
            body.iter_mut().skip(at).zip(bytes).for_each(|(byte, new)| *byte = *new);
        }
    }
}

/// Decodes an event with all its rows. Returns the number of rows and inner events.
fn exhaust(decoder: &mut Decoder, raw: RawEvent<'_>) -> usize {
    match decoder.decode(raw) {
        Ok(Event::Rows(rows)) => {
            let count = rows.table().map_or(0, |table| table.columns.len());
            let all: Vec<usize> = (0..count).collect();
            let changes = rows.changes(&all).count();
            let (none, ok) = (rows.changes(&[]).count(), rows.changes(&all).all(|change| change.is_ok()));
            assert!(!ok || none == changes, "the number of rows depends on the wanted columns");
            changes
        }
        Ok(Event::Payload(payload)) => {
            let events = payload.events().into_iter().flatten().flatten();
            events.map(|event| exhaust(decoder, event.as_raw())).sum()
        }
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_event_never_panics(
        file in prop::sample::select(FILES.to_vec()),
        at in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let binlog = Binlog::open(file);
        let events = binlog.events();
        let at = at.index(events.len());
        let mut decoder = Decoder::new(binlog.flavor);
        // The rows come soon after their table.
        for (index, raw) in events.iter().enumerate().skip(at.saturating_sub(3)).take(8) {
            let (mut kind, mut body) = (raw.kind, raw.body.to_vec());
            if index == at {
                damages.iter().for_each(|damage| apply(damage, &mut kind, &mut body));
            }
            exhaust(&mut decoder, RawEvent { kind, body: &body, ..*raw });
        }
    }
}

/// Every prefix of every description of a table, and of its rows.
#[test]
fn a_cut_event_is_an_error_and_never_fewer_rows() {
    for file in ["mysql-values", "mariadb-values", "mysql-minimal", "mariadb-minimal"] {
        let binlog = Binlog::open(file);
        let mut decoder = Decoder::new(binlog.flavor);
        let mut table = None;
        for raw in binlog.events() {
            match raw.kind {
                0x13 => table = Some(raw),
                0x17..=0x19 | 0x1E..=0x20 if raw.body.len() < 3000 => {
                    for length in 0..raw.body.len() {
                        decoder.decode(table.unwrap()).unwrap();
                        let raw = RawEvent { body: &raw.body[..length], ..raw };
                        let Ok(Event::Rows(rows)) = decoder.decode(raw) else { continue };
                        let whole = rows.changes(&[]).all(|change| change.is_ok());
                        // A cut between two rows can't be seen, but then the rows before it are whole.
                        assert!(!whole || rows.changes(&[]).count() > 0);
                    }
                }
                _ => {}
            }
            exhaust(&mut decoder, raw);
        }
    }
}
