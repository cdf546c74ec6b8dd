//! Schemes, tables and rows made by hand.

use mrc_core::depends::{CollationFolding, SchemeName};
use mrc_store::{Moment, Registry};

use super::{Book, Plan};
use crate::event::{BINARY, Cell, Change, Column, ColumnType, Table};
use crate::rules::Effects;
use crate::statement::Statement;

const GENERAL_CI: u16 = 45;
const BIN: u16 = 46;

fn registry(born: u64, version: u64, schemes: &[&str]) -> Registry {
    let schemes = schemes.iter().map(|text| SchemeName::new(*text)).collect();
    Registry { born: Moment::from_micros(born), version: Moment::from_micros(version), schemes }
}

fn column(name: &str, kind: ColumnType, collation: u16) -> Column {
    let (unsigned, nullable, members) = (Some(false), true, vec![b"open".to_vec(), b"\xff".to_vec()]);
    Column { name: Some(name.to_owned()), kind, unsigned, nullable, collation: Some(collation), members }
}

/// Returns the tags and the whole tables, sorted.
fn listed(effects: &Effects) -> Vec<String> {
    let tags = effects.tags().map(ToString::to_string);
    let whole = effects.whole().map(|(table, reason)| format!("{table}: {}", reason.label()));
    let mut all: Vec<_> = tags.chain(whole).collect();
    all.sort();
    all
}

/// A book with schemes, whose collations are known: one that folds case alone.
fn book(schemes: &[&str]) -> Book {
    let book = Book::default();
    book.learn(registry(1, 1, schemes), &mut Effects::new());
    book.add_foldings([(GENERAL_CI, CollationFolding::from_rows([])), (BIN, CollationFolding::EXACT)].into());
    book
}

/// Returns what the book's next registry ends.
fn learned(book: &Book, next: Registry) -> Vec<String> {
    let mut effects = Effects::new();
    book.learn(next, &mut effects);
    listed(&effects)
}

fn table(columns: Vec<Column>) -> Table {
    Table { id: 1, schema: "Shop".into(), name: "orders".into(), columns }
}

/// The rows of `shop.orders (note TEXT, v …)` under one scheme.
struct Rows {
    book: Book,
    table: Table,
    is_mariadb: bool,
}

fn rows(scheme: &str, v: Column) -> Rows {
    let columns = vec![column("note", ColumnType::Blob(2), GENERAL_CI), v];
    Rows { book: book(&[&format!("t:shop.orders?{scheme}")]), table: table(columns), is_mariadb: false }
}

impl Rows {
    /// Checks what a change ends, whose images have the value of `v` after the cells of a rule.
    #[track_caller]
    fn check(&self, before: Option<Cell<'static>>, after: Option<Cell<'static>>, expect: &[&str]) {
        let plan = Plan::of(&self.table, &self.book.known(), &self.book, self.is_mariadb).unwrap();
        let image = |cell: Option<Cell<'static>>| cell.map(|cell| vec![Cell::Int(99), cell]);
        let mut effects = Effects::new();
        plan.apply(&Change { before: image(before), after: image(after) }, 1, &mut effects);
        assert_eq!(listed(&effects), expect);
    }

    /// Checks what an inserted value ends.
    #[track_caller]
    fn inserted(&self, value: Cell<'static>, expect: &str) {
        self.check(None, Some(value), &[expect].into_iter().filter(|tag| !tag.is_empty()).collect::<Vec<_>>());
    }
}

#[test]
fn a_row_ends_its_tags_before_and_after() {
    let of = rows("v:int", column("v", ColumnType::Long, BINARY));
    let (six, seven) = ("t:shop.orders?v=6", "t:shop.orders?v=7");
    of.check(None, Some(Cell::Int(6)), &[six]);
    of.check(Some(Cell::Int(6)), Some(Cell::Int(7)), &[six, seven]);
    of.check(Some(Cell::Int(6)), Some(Cell::Int(6)), &[six]);
    of.check(Some(Cell::Int(6)), None, &[six]);
    of.check(None, Some(Cell::Null), &[]);
    of.check(None, Some(Cell::UInt(u64::MAX)), &["t:shop.orders?v=18446744073709551615"]);
    of.check(Some(Cell::Int(6)), Some(Cell::Absent), &["t:shop.orders?v:int"]);
}

#[test]
fn each_type_is_compared_as_its_constants_are() {
    let whole = |class: &str| format!("t:shop.orders?v:{class}");
    let text = rows("v:text", column("v", ColumnType::Varchar(80), GENERAL_CI));
    text.inserted(Cell::Bytes(b"OPEN  "), "t:shop.orders?v=open");
    text.inserted(Cell::Bytes("café".as_bytes()), &whole("text"));
    text.inserted(Cell::Bytes(b"\xff"), &whole("text"));
    let bin = rows("v:text", column("v", ColumnType::Varchar(80), BIN));
    bin.inserted(Cell::Bytes("café".as_bytes()), "");
    let members = rows("v:text", column("v", ColumnType::Enum(1), GENERAL_CI));
    members.inserted(Cell::Enum(1), "t:shop.orders?v=open");
    for unclear in [0, 2, 3] {
        members.inserted(Cell::Enum(unclear), &whole("text"));
    }
    let decimal = rows("v:dec1", column("v", ColumnType::Decimal { precision: 9, scale: 2 }, BINARY));
    decimal.inserted(Cell::Decimal("-1.50".into()), "t:shop.orders?v=~1:-1.5");
    let date = rows("v:date", column("v", ColumnType::Date, BINARY));
    date.inserted(Cell::Date("2026-11-28".into()), "t:shop.orders?v=~d2026-11-28");
    date.inserted(Cell::Date("tomorrow".into()), &whole("date"));
    let bytes = rows("v:bytes", column("v", ColumnType::Char(4), BINARY));
    bytes.inserted(Cell::Padded(b"a\0\0\0".to_vec()), "t:shop.orders?v=~x229f404a02e78c1ca4d476853b2621d128acabcc");
    for (class, kind, collation) in [
        ("int", ColumnType::Varchar(80), GENERAL_CI),
        ("int", ColumnType::Double, BINARY),
        ("text", ColumnType::Json(4), BINARY),
        ("null", ColumnType::Date, BINARY),
        ("null", ColumnType::DateTime(0), BINARY),
        ("null", ColumnType::OldTemporal(8), BINARY),
    ] {
        rows(&format!("v:{class}"), column("v", kind, collation)).inserted(Cell::Null, &whole(class));
    }
    // MariaDB's UUIDs look like bytes, and are compared as text.
    let mut of = rows("v:bytes", column("v", ColumnType::Char(16), BINARY));
    of.is_mariadb = true;
    of.inserted(Cell::Bytes(b"0123456789abcdef"), "t:shop.orders?v:bytes");
}

#[test]
fn a_value_of_any_type_is_null_or_not() {
    for kind in [ColumnType::Json(4), ColumnType::Double, ColumnType::Set(1), ColumnType::Compressed(2)] {
        let of = rows("v:null", column("v", kind, BINARY));
        of.inserted(Cell::Null, "t:shop.orders?v=∅");
        of.inserted(Cell::Opaque, "");
    }
    let of_no_charset = rows("v:null", column("v", ColumnType::Varchar(80), 35));
    of_no_charset.inserted(Cell::Bytes(b"\0a"), "");
}

#[test]
fn texts_are_uncertain_until_the_server_was_asked() {
    let of = rows("v:text", column("v", ColumnType::Varchar(80), 33));
    of.inserted(Cell::Bytes(b"open"), "t:shop.orders?v:text");
    let generation = of.book.known().generation;
    assert_eq!(of.book.take_unknown(), [33].into());
    of.book.add_foldings([(33, CollationFolding::from_rows([]))].into());
    of.inserted(Cell::Bytes(b"open"), "t:shop.orders?v=open");
    assert!(of.book.known().generation > generation, "plans must be made anew");
    assert!(of.book.take_unknown().is_empty(), "it is asked once");
}

#[test]
fn a_table_whose_columns_have_no_names_is_ended_as_a_whole() {
    let mut of = rows("v:int", column("v", ColumnType::Long, BINARY));
    of.table.columns[0].name = None;
    of.check(None, Some(Cell::Int(6)), &["shop.orders: metadata"]);
}

#[test]
fn a_transaction_with_too_many_tags_ends_its_tables() {
    let of = rows("v:int", column("v", ColumnType::Long, BINARY));
    let plan = Plan::of(&of.table, &of.book.known(), &of.book, false).unwrap();
    let mut effects = Effects::new();
    for id in 0..=Effects::MOST as i64 {
        plan.apply(&Change { before: None, after: Some(vec![Cell::Int(id)]) }, 0, &mut effects);
    }
    assert!(effects.len() <= Effects::MOST);
    let whole: Vec<_> = effects.whole().map(|(table, reason)| format!("{table}: {}", reason.label())).collect();
    assert_eq!(whole, ["shop.orders: too_many"]);
}

#[test]
fn a_scheme_that_came_later_is_ended_as_a_whole() {
    let (old, new) = ("t:shop.orders?v:int", "t:shop.stores?");
    let book = book(&[old]);
    let decoded = book.known().generation;
    book.learn(registry(1, 1, &[old]), &mut Effects::new());
    assert_eq!(book.known().generation, decoded, "the same schemes leave the plans as they are");
    assert_eq!(learned(&book, registry(1, 2, &[old, new])), [""; 0], "nothing is lost");
    let mut effects = Effects::new();
    for has_statement in [false, true] {
        book.known().add_newer(book.known().generation, has_statement, &mut effects);
        assert!(effects.is_empty(), "what is decoded from now on has tags of its own");
    }
    book.known().add_newer(decoded, false, &mut effects);
    assert_eq!(listed(&effects), [new]);
    book.known().add_newer(decoded, true, &mut effects);
    assert_eq!(listed(&effects), ["shop.stores: statement", new], "it may be a view, whose tables have changed");
}

#[test]
fn a_scheme_that_is_not_understood_is_ended_by_each_change() {
    let strange = "t:shop.orders?v:colour";
    let book = book(&[strange]);
    let mut effects = Effects::new();
    book.known().add_newer(u64::MAX, true, &mut effects);
    assert_eq!(listed(&effects), [strange]);
    for next in [registry(1, 2, &[strange]), registry(1, 3, &[])] {
        assert_eq!(learned(&book, next), [strange], "its table isn't known");
    }
}

#[test]
fn a_lost_registry_ends_all_tables_that_were_known() {
    let schemes = ["t:shop.orders?v:int", "t:shop.stores?"];
    let orders = &schemes[..1];
    let check = |next: Registry, expect: &[&str]| assert_eq!(learned(&book(&schemes), next), expect);
    let lost = ["shop.orders: registry", "shop.stores: registry"];
    let with_the_gone = ["shop.orders: registry", "shop.stores: registry", "t:shop.stores?"];
    check(registry(5, 5, &schemes), &lost);
    check(registry(5, 5, orders), &with_the_gone);
    check(registry(0, 0, &[]), &["shop.orders: registry", "shop.stores: registry", schemes[0], schemes[1]]);
    check(registry(1, 0, orders), &with_the_gone);
    // It has ended, or a server of the cache went back and came on.
    check(registry(1, 2, orders), &["t:shop.stores?"]);
}

#[test]
fn statements_end_the_known_tables_that_they_name() {
    let book = book(&["t:shop.orders?v:int", "t:shop.stores?", "t:other.orders?"]);
    let check = |text: &str, schema: &str, expect: &[&str]| {
        let mut effects = Effects::new();
        book.known().apply_statement(&Statement::read(text.as_bytes()), schema, &mut effects);
        assert_eq!(listed(&effects), expect, "{text}");
    };
    check("TRUNCATE Orders", "shop", &["shop.orders: statement"]);
    check("RENAME TABLE shop.orders TO shop.stores", "", &["shop.orders: statement", "shop.stores: statement"]);
    check("CREATE OR REPLACE VIEW orders AS SELECT 1", "other", &["other.orders: statement"]);
    check("DROP DATABASE Shop", "", &["shop.orders: statement", "shop.stores: statement"]);
    check("GRANT SELECT ON shop.orders TO a", "shop", &[]);
}

#[test]
fn while_the_registry_is_lost_each_change_of_its_tables_ends_all_of_them() {
    let book = book(&["t:shop.orders?v:int"]);
    let everything = "shop.orders: registry";
    assert_eq!(learned(&book, Registry::default()), [everything, "t:shop.orders?v:int"]);
    // Entries may have been stored under a registry that was lost again before a look at it.
    let table = table(vec![column("v", ColumnType::Long, BINARY)]);
    let mut effects = Effects::new();
    let plan = Plan::of(&table, &book.known(), &book, false).unwrap();
    plan.apply(&Change { before: None, after: Some(vec![Cell::Int(6)]) }, 0, &mut effects);
    assert_eq!(listed(&effects), [everything]);
    assert_eq!(learned(&book, registry(5, 6, &["t:shop.items?id:int"])), [everything]);
    assert!(Plan::of(&table, &book.known(), &book, false).is_none(), "its entries are gone");
}
