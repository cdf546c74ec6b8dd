//! The decoder's answers to events that it can't decode.

use mrc_follow::event::{Cell, Change, DecodeError, Decoder, Event, Fault, Flavor, OwnedEvent, RawEvent};

use crate::Binlog;

const TABLE_MAP: u8 = 0x13;
const INSERT: u8 = 0x1E;
const END: u8 = 1;

fn raw(kind: u8, body: &[u8]) -> RawEvent<'_> {
    RawEvent { kind, timestamp: 0, server_id: 1, log_pos: 0, flags: 0, body }
}

/// Returns the description of `s.t`, number 7, with columns of these types.
fn table(types: &[u8], descriptions: &[u8]) -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, 0, 0, 1, b's', 0, 1, b't', 0];
    body.push(types.len() as u8);
    body.extend(types);
    body.push(descriptions.len() as u8);
    body.extend(descriptions);
    body.resize(body.len() + types.len().div_ceil(8), 0xFF);
    body
}

/// Returns an insert into table 7 with so many columns, at most 8.
fn insert(flags: u8, columns: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, flags, 0, 2, 0, columns, 0xFF];
    body.extend(data);
    body
}

/// Returns a decoder that knows [`table`].
fn decoder(types: &[u8], descriptions: &[u8]) -> Decoder {
    let mut decoder = Decoder::new(Flavor::MySql);
    decoder.decode(raw(TABLE_MAP, &table(types, descriptions))).unwrap();
    decoder
}

fn changes(decoder: &mut Decoder, body: &[u8], wanted: &[usize]) -> Vec<Result<Vec<String>, DecodeError>> {
    let Event::Rows(rows) = decoder.decode(raw(INSERT, body)).unwrap() else { panic!("no rows") };
    let show = |change: Change<'_>| change.after.unwrap().iter().map(|cell| format!("{cell:?}")).collect();
    // An endless iterator would have more.
    rows.changes(wanted).map(|change| change.map(show)).take(100).collect()
}

#[test]
fn wanted_columns_come_in_their_order() {
    let mut decoder = decoder(&[1, 1, 1], &[]);
    // Two rows: 1, NULL, 3, then 4, 5, 6.
    let body = insert(0, 3, &[0b010, 1, 3, 0, 4, 5, 6]);
    let shown = changes(&mut decoder, &body, &[2, 9, 0, 1, 2]);
    assert_eq!(shown[0].as_deref().unwrap(), ["Int(3)", "Absent", "Int(1)", "Null", "Int(3)"]);
    assert_eq!(shown[1].as_deref().unwrap(), ["Int(6)", "Absent", "Int(4)", "Int(5)", "Int(6)"]);
    assert_eq!(shown.len(), 2);
}

#[test]
fn rows_without_columns_are_one_row_and_no_endless_loop() {
    let mut decoder = decoder(&[1], &[]);
    let mut body = insert(0, 1, &[]);
    body[11] = 0; // The columns that the rows have.
    let shown = changes(&mut decoder, &body, &[0]);
    assert_eq!(shown[0].as_deref().unwrap(), ["Absent"]);
    assert_eq!(shown.len(), 1);
    body.extend([1, 2]);
    let shown = changes(&mut decoder, &body, &[0]);
    let [Err(error)] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(error.fault(), Fault::Long(2));
}

#[test]
fn rows_without_a_table_are_an_error() {
    let mut decoder = Decoder::new(Flavor::MySql);
    let shown = changes(&mut decoder, &insert(0, 1, &[0, 1]), &[]);
    let [Err(error)] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((error.fault(), error.table()), (Fault::NoTable(7), None));
}

#[test]
fn a_table_is_known_until_its_statement_or_transaction_ends() {
    for end in [raw(INSERT, &insert(END, 1, &[0, 1])), raw(0x10, &[0; 8]), raw(0x22, &[])] {
        let mut decoder = decoder(&[1], &[]);
        assert!(changes(&mut decoder, &insert(0, 1, &[0, 1]), &[])[0].is_ok());
        if let Event::Rows(rows) = decoder.decode(end).unwrap() {
            assert!(rows.is_last_of_statement() && rows.changes(&[]).all(|change| change.is_ok()));
        }
        assert!(changes(&mut decoder, &insert(0, 1, &[0, 1]), &[])[0].is_err());
    }
}

#[test]
fn the_rows_of_a_table_with_a_bad_description_are_errors_that_name_it() {
    let mut decoder = decoder(&[1], &[]);
    // TIMESTAMP with 7 digits, under the number of the good description.
    let error = decoder.decode(raw(TABLE_MAP, &table(&[17], &[7]))).unwrap_err();
    assert_eq!(error.table(), Some(("s", "t")));
    let error = decoder.decode(raw(INSERT, &insert(END, 1, &[0, 1]))).unwrap_err();
    assert_eq!(error.to_string(), "event 0x1e of s.t: the rows have 1 columns, the table has 0");
}

#[test]
fn a_description_whose_name_is_cut_forgets_all_tables() {
    let mut decoder = decoder(&[1], &[]);
    decoder.decode(raw(TABLE_MAP, &table(&[1], &[])[..9])).unwrap_err();
    assert!(changes(&mut decoder, &insert(0, 1, &[0, 1]), &[])[0].is_err());
}

#[test]
fn an_unknown_type_is_an_error_only_of_its_own_values() {
    // The columns are TINYINT, unknown, and VARCHAR, whose description might stand anywhere.
    let mut decoder = decoder(&[1, 200, 15], &[1, 2, 3]);
    let shown = changes(&mut decoder, &insert(0, 3, &[0b110, 5, 0, 5, 1, 2, 3]), &[0]);
    assert_eq!(shown[0].as_deref().unwrap(), ["Int(5)"]);
    let error = shown[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "event 0x1e of s.t, column @2: columns of type 200 can't be decoded");
    assert_eq!((shown.len(), error.column(), error.fault()), (2, Some("@2"), Fault::Type(200)));
}

#[test]
fn a_value_out_of_its_range_is_an_error() {
    for (number, description, value) in [
        (10, &[][..], &[0xFF, 0xFF, 0xFF][..]),            // DATE
        (18, &[0], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),       // DATETIME
        (18, &[0], &[0, 0, 0, 0, 0]),                      // DATETIME before the year 0
        (18, &[6], &[0x80, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]), // DATETIME(6)
        (19, &[0], &[0xFF, 0xFF, 0xFF]),                   // TIME
        (19, &[2], &[0x80, 0, 0, 0xFF]),                   // TIME(2)
        (10, &[], &[0xA1, 0xD5, 0x0F]),                    // 2026-13-01
        (10, &[], &[0x21, 0x20, 0x4E]),                    // 10000-01-01
        (18, &[0], &[0x80, 0, 1, 0x80, 0]),                // 0000-00-00 24:00:00
        (19, &[0], &[0xB4, 0x70, 0]),                      // 839:00:00
        (19, &[0], &[0x80, 0x0F, 0]),                      // 00:60:00
        (19, &[0], &[0x80, 0, 0x3C]),                      // 00:00:60
        (246, &[2, 0], &[0xFF]),                           // DECIMAL(2)
        (15, &[10, 0], &[200, 1]),                         // VARCHAR(10)
    ] {
        let mut decoder = decoder(&[number], description);
        let shown = changes(&mut decoder, &insert(0, 1, &[&[0], value].concat()), &[0]);
        let [Err(error)] = &shown[..] else { panic!("{number}: {shown:?}") };
        assert_eq!((error.table(), error.column()), (Some(("s", "t")), Some("@1")), "{number}");
    }
}

#[test]
fn descriptions_take_a_bounded_memory() {
    let mut decoder = Decoder::new(Flavor::MySql);
    let mut body = table(&[1; 200], &[]);
    let mut faults = (0..100_000_u32).filter_map(|id| {
        body[..4].copy_from_slice(&id.to_le_bytes());
        decoder.decode(raw(TABLE_MAP, &body)).err()
    });
    let error = faults.next().unwrap();
    assert!(matches!(error.fault(), Fault::Memory(_)) && error.table() == Some(("s", "t")), "{error}");
}

#[test]
fn unknown_events_may_be_ignored_only_if_the_server_says_so() {
    let decode = |flavor, event| Decoder::new(flavor).decode(event).map(|event| format!("{event:?}")).unwrap();
    let unknown = RawEvent { flags: 0x80, ..raw(0x7F, &[]) };
    assert_eq!(decode(Flavor::MySql, unknown), "Unknown { kind: 127, ignorable: true }");
    // An incident means lost events. MariaDB's events are unknown to MySQL, and the reverse.
    for (flavor, kind) in [(Flavor::MySql, 0x1A), (Flavor::MySql, 0xA2), (Flavor::MariaDb, 0x28)] {
        assert_eq!(decode(flavor, raw(kind, &[])), format!("Unknown {{ kind: {kind}, ignorable: false }}"));
    }
}

/// Returns the first event of a kind in a file.
fn first(binlog: &Binlog, kind: u8) -> RawEvent<'_> {
    binlog.events().into_iter().find(|raw| raw.kind == kind).unwrap()
}

fn unpack(body: &[u8]) -> Result<Vec<OwnedEvent>, DecodeError> {
    let event = Decoder::new(Flavor::MySql).decode(raw(0x28, body))?;
    let Event::Payload(payload) = event else { panic!("{event:?}") };
    payload.events()?.collect()
}

#[test]
fn a_payload_is_whole_or_an_error() {
    let binlog = Binlog::open("mysql-compressed");
    let whole = first(&binlog, 0x28).body;
    assert_eq!(unpack(whole).unwrap().len(), 5);
    for at in 0..whole.len() {
        unpack(&whole[..at]).unwrap_err();
    }
    // Byte 2 is the algorithm, byte 6 the lowest of the decompressed size.
    for (at, by) in [(6, 1), (6, 255), (2, 1)] {
        let mut body = whole.to_vec();
        body[at] = body[at].wrapping_add(by);
        unpack(&body).unwrap_err();
    }
}

#[test]
fn a_payload_may_be_uncompressed_but_holds_no_payload() {
    let binlog = Binlog::open("mysql-compressed");
    let mut inner = vec![0, 0, 0, 0, 0x10, 1, 0, 0, 0, 27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let pack = |inner: &[u8]| [&[2, 3, 252, 255, 0, 3, 1, 27, 1, 1, 27, 0][..], inner].concat();
    let events = unpack(&pack(&inner)).unwrap();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(Decoder::new(binlog.flavor).decode(event.as_raw()).unwrap(), Event::Xid(9));
    // A byte behind the payload, then an event behind the declared decompressed size.
    unpack(&[pack(&inner), vec![0]].concat()).unwrap_err();
    let mut two = pack(&inner.repeat(2));
    two[10] = 54;
    unpack(&two).unwrap_err();
    two[7] = 54;
    assert_eq!(unpack(&two).unwrap().len(), 2);
    inner[4] = 0x28;
    unpack(&pack(&inner)).unwrap_err();
}

#[test]
fn compressed_rows_of_mariadb_are_whole_or_an_error() {
    let binlog = Binlog::open("mariadb-compressed");
    let (described, rows) = (first(&binlog, TABLE_MAP), first(&binlog, 0xA6));
    let decode = |body: &[u8]| {
        let mut decoder = Decoder::new(Flavor::MariaDb);
        decoder.decode(described).unwrap();
        let event = decoder.decode(RawEvent { body, ..rows })?;
        let Event::Rows(rows) = event else { panic!("{event:?}") };
        assert!(matches!(rows.changes(&[0]).next().unwrap()?.after.as_deref(), Some([Cell::Int(1)])));
        Ok::<_, DecodeError>(())
    };
    decode(rows.body).unwrap();
    for at in 0..rows.body.len() {
        let error = decode(&rows.body[..at]).unwrap_err();
        // The first 8 bytes are the table and the flags.
        assert_eq!(error.table(), (at >= 8).then_some(("shop", "orders")));
    }
    // Behind the columns: the algorithm, then the decompressed length.
    for (at, by) in [(10, 0x10), (12, 1), (13, 1), (13, 255)] {
        let mut body = rows.body.to_vec();
        body[at] = body[at].wrapping_add(by);
        decode(&body).unwrap_err();
    }
}
