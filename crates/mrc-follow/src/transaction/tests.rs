//! Transactions of events made by hand.

use mrc_core::depends::SchemeName;
use mrc_store::{Moment, Registry};

use super::*;
use crate::rules::Rule;

fn assembler() -> Assembler {
    let rules = Rules::new([Rule::table("shop.orders").all("orders").tag("order:{id}")]).unwrap();
    Assembler::new(Flavor::MySql, Arc::new(rules), Arc::default(), None)
}

fn push(assembler: &mut Assembler, kind: u8, flags: u16, body: &[u8]) -> Option<Committed> {
    assembler.push(RawEvent { kind, timestamp: 1, server_id: 1, log_pos: 100, flags, body })
}

fn begin(assembler: &mut Assembler, number: u8) {
    let body = [&[0; 17][..], &u64::from(number).to_le_bytes()].concat();
    assert!(push(assembler, GTID, 0, &body).is_none());
}

fn query(text: &str) -> Vec<u8> {
    [&[0; 8][..], &[4, 0, 0, 0, 0], b"shop\0", text.as_bytes()].concat()
}

fn run(assembler: &mut Assembler, text: &str) -> Option<Committed> {
    push(assembler, QUERY, 0, &query(text))
}

fn commit(assembler: &mut Assembler) -> Option<Committed> {
    push(assembler, XID, 0, &[0; 8])
}

const GTID: u8 = 0x21;
const QUERY: u8 = 2;
const XID: u8 = 0x10;
const PAYLOAD: u8 = 0x28;

#[test]
fn events_that_are_not_understood_invalidate_everything() {
    let check = |kind: u8, flags: u16, body: &[u8], everything: bool| {
        let mut it = assembler();
        begin(&mut it, 1);
        let ended = push(&mut it, kind, flags, body).or_else(|| commit(&mut it)).unwrap();
        assert_eq!(ended.effects.everything().is_some(), everything, "{kind:#x} {:?}", ended.effects);
    };
    check(0x7f, 0, b"", true);
    check(0x7f, 0x80, b"", false);
    check(0x1a, 0, &[1, 0, 0], true);
    check(PAYLOAD, 0, b"no payload", true);
    // A payload of zstd, whose bytes are none.
    check(PAYLOAD, 0, &[1, 1, 4, 2, 1, 0, 3, 1, 9, 0, 1, 2, 3, 4], true);
    check(QUERY, 0, &query("CALL a_procedure()"), true);
    check(QUERY, 0, &query("BEGIN"), false);
}

#[test]
fn a_panic_in_decoding_invalidates_everything_of_its_transaction() {
    let mut it = assembler();
    begin(&mut it, 1);
    it.panicked();
    assert!(commit(&mut it).unwrap().effects.everything().is_some());
    begin(&mut it, 2);
    assert!(commit(&mut it).unwrap().effects.is_empty());
}

#[test]
fn statements_end_transactions_that_did_not_begin() {
    let mut it = assembler();
    begin(&mut it, 1);
    let ended = run(&mut it, "TRUNCATE orders").unwrap();
    let whole: Vec<_> = ended.effects.whole().map(|(table, _)| table.to_string()).collect();
    assert_eq!(whole, ["shop.orders"]);
    begin(&mut it, 2);
    assert!(run(&mut it, "BEGIN").is_none());
    assert!(run(&mut it, "CREATE TABLE t (id INT) START TRANSACTION").is_none());
    let ended = run(&mut it, "COMMIT").unwrap();
    assert!(matches!(ended.gtid, Gtid::MySql { number: 2, .. }));
}

#[test]
fn ddl_ends_what_the_keys_of_its_table_reach() {
    let check = |text: &str, is_marked: bool| {
        let key = ["shop", "stores", "shop", "orders", "CASCADE", "RESTRICT"].map(str::to_owned);
        let mut it = assembler();
        it.cascades = Arc::new(Cascades::of_keys([key.into()]));
        begin(&mut it, 1);
        let ended = run(&mut it, text).unwrap();
        assert_eq!(ended.effects.whole().len(), usize::from(is_marked), "{text}");
    };
    check("ALTER TABLE stores DROP FOREIGN KEY of_region", true);
    check("ALTER TABLE regions ADD name INT", false);
}

#[test]
fn a_transaction_without_its_number_counts_with_the_next() {
    let mut it = assembler();
    assert!(run(&mut it, "TRUNCATE orders").is_none());
    begin(&mut it, 2);
    assert_eq!(commit(&mut it).unwrap().effects.whole().len(), 1);
}

fn with_book() -> (Assembler, Arc<Book>) {
    let book = Arc::<Book>::default();
    (Assembler::new(Flavor::MySql, Arc::default(), Arc::default(), Some(Arc::clone(&book))), book)
}

fn register(book: &Book, version: u64, text: &str) {
    let (born, version) = (Moment::from_micros(1), Moment::from_micros(version));
    book.learn(Registry { born, version, schemes: vec![SchemeName::new(text)] }, &mut Effects::new());
}

#[test]
fn a_transaction_has_the_schemes_of_its_begin() {
    let (mut it, book) = with_book();
    begin(&mut it, 1);
    assert!(run(&mut it, "BEGIN").is_none());
    assert!(run(&mut it, "CREATE TABLE t (id INT) START TRANSACTION").is_none());
    register(&book, 1, "t:shop.orders?");
    assert!(run(&mut it, "TRUNCATE orders").is_none());
    let ended = commit(&mut it).unwrap();
    assert!(ended.is_touched && ended.effects.is_empty());
    assert!(ended.generation < book.known().generation, "the new scheme must be ended as a whole");
    begin(&mut it, 2);
    let ended = run(&mut it, "TRUNCATE orders").unwrap();
    assert_eq!((ended.effects.whole().len(), ended.generation), (1, book.known().generation));
}

#[test]
fn a_prepared_transaction_has_the_schemes_of_its_own_begin() {
    let (mut it, book) = with_book();
    begin(&mut it, 1);
    assert!(run(&mut it, "XA START X'61',X'',1").is_none());
    let decoded = book.known().generation;
    let prepared = run(&mut it, "XA PREPARE X'61',X'',1").unwrap();
    assert!(!prepared.is_touched, "nothing is committed yet");
    register(&book, 1, "t:shop.orders?");
    begin(&mut it, 2);
    let committed = run(&mut it, "XA COMMIT X'61',X'',1").unwrap();
    assert_eq!((committed.is_touched, committed.generation), (true, decoded));
}

#[test]
fn what_changes_no_table_touches_nothing() {
    let check = |text: &str, is_touched: bool| {
        let (mut it, _) = with_book();
        begin(&mut it, 1);
        let ended = run(&mut it, text).unwrap();
        assert_eq!(ended.is_touched, is_touched, "{text}");
    };
    check("GRANT SELECT ON orders TO a", false);
    check("TRUNCATE orders", true);
    check("CALL a_procedure()", true);
}
