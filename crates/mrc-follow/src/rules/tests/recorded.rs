//! Rules on the recorded binlogs of both servers, from `tests/golden/values.sql`.

use super::*;
use crate::event::{Decoder, Event, Flavor, RawEvent};
use crate::rules::Server;
use crate::statement::Statement;

const VALUES: [(Flavor, &[u8]); 2] = [
    (Flavor::MySql, include_bytes!("../../../tests/golden/mysql-values.binlog")),
    (Flavor::MariaDb, include_bytes!("../../../tests/golden/mariadb-values.binlog")),
];
const STATEMENTS: [(Flavor, &[u8]); 2] = [
    (Flavor::MySql, include_bytes!("../../../tests/golden/mysql-statements.binlog")),
    (Flavor::MariaDb, include_bytes!("../../../tests/golden/mariadb-statements.binlog")),
];

fn for_each_event((flavor, binlog): (Flavor, &[u8]), mut f: impl FnMut(Event<'_>)) {
    let (mut decoder, mut rest) = (Decoder::new(flavor), &binlog[4..]);
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
        let (event, after) = rest.split_at(length);
        rest = after;
        // Without the header, and without the checksum.
        let body = &event[19..length - 4];
        let raw = RawEvent { kind: event[4], timestamp: 0, server_id: 1, log_pos: 0, flags: 0, body };
        f(decoder.decode(raw).unwrap());
    }
}

/// Returns the effects of all rows of a recorded binlog.
fn effects_of_binlog(binlog: (Flavor, &[u8]), rules: &Rules) -> Effects {
    let server = Server { mariadb: binlog.0 == Flavor::MariaDb, ignore_case: false };
    let rules = rules.clone().server(server);
    let mut effects = Effects::new();
    for_each_event(binlog, |event| {
        if let Event::Rows(rows) = event {
            let plan = rules.plan(rows.table().unwrap());
            if !plan.is_ignored() {
                rows.changes(plan.wanted()).for_each(|change| plan.apply(&change.unwrap(), &mut effects));
            }
        }
    });
    effects
}

#[track_caller]
fn check(rule: Rule, expect: &[&str]) {
    let rules = Rules::new([rule]).unwrap();
    for binlog in VALUES {
        super::check(&effects_of_binlog(binlog, &rules), expect);
    }
}

fn rule(table: &str, template: &str) -> Rule {
    Rule::table(format!("golden.{table}")).all("all").tag(template)
}

#[test]
fn integers_of_both_servers() {
    check(
        rule("v_integer", "{id} {t} {tu} {m} {iu} {b} {bu} {y}"),
        &[
            "1 -128 0 -8388608 0 -9223372036854775808 0 1901",
            "2 127 255 8388607 4294967295 9223372036854775807 18446744073709551615 2155",
            "3 -1 1 -1 1 -1 9223372036854775808 0",
            "4 null null null null null null null",
            "5 0 128 0 2147483648 0 9223372036854775807 2026",
            "-6 1 null null 5 null 6 null",
        ],
    );
}

#[test]
fn decimals_of_both_servers() {
    let tags = ["1 999.99", "2 -999.99", "3 0.00", "4 -0.01", "5 12.50", "6 null"];
    check(rule("v_decimal", "{id} {c}"), &tags);
}

#[test]
fn texts_of_both_servers() {
    check(
        rule("v_text", "{id} {c}|{l}|{v}|{tt}|{t}|{vb}").max_tags(3),
        // The bytes X'00FF' of the second row are no text.
        &["1 |||||", "golden.v_text: unreadable"],
    );
    check(
        rule("v_text", "{c}|{l}|{v}|{tt}|{t}"),
        &[
            "||||",
            "é☃😀|é|é|é☃😀|é",
            "a|a|a |a |a ",
            &format!("0123456789|0123456789|0123456789|{}|{}", "x".repeat(255), "x".repeat(300)),
            "null|null|null|null|null",
            "\0|\0|\0|\0|\0",
        ],
    );
    check(rule("v_text", "{u}"), &["golden.v_text: type"]);
    check(rule("v_text", "{id} {j}"), &["1 ", "golden.v_text: unreadable"]);
}

#[test]
fn enums_of_both_servers() {
    check(rule("v_bits", "{id} {e} {e300} {t}"), &["1 a 1 é", "2 ç 300 ", "3  256 x", "4 null null null"]);
}

#[test]
fn dates_and_times_of_both_servers() {
    check(
        rule("v_datetime", "{id} {d} {t0} {t3}"),
        &[
            "1 0000-00-00 0000-00-00 00:00:00 0000-00-00 00:00:00",
            "2 9999-12-31 9999-12-31 23:59:59 9999-12-31 23:59:59",
            "3 1000-01-01 1000-01-01 00:00:00 1000-01-01 00:00:00",
            "4 2026-11-28 2026-11-28 12:34:56 2026-11-28 12:34:56.123000",
            "5 2026-00-00 2026-00-00 00:00:00 2026-00-00 00:00:00",
            "6 2026-02-31 2026-02-31 01:02:03 2026-02-31 01:02:03.100000",
            "7 0001-01-01 0001-01-01 00:00:00 0001-01-01 00:00:00",
            "8 null null null",
        ],
    );
    check(
        rule("v_timestamp", "{id} {t0} {t6}"),
        &[
            "1 0000-00-00 00:00:00 0000-00-00 00:00:00",
            "2 1970-01-01 00:00:01 1970-01-01 00:00:01",
            "3 2038-01-19 03:14:07 2038-01-19 03:14:07",
            "4 2026-11-28 12:34:56 2026-11-28 12:34:56.123456",
            "5 2000-01-01 00:00:00 2000-01-01 00:00:00.000001",
            "6 null null",
        ],
    );
}

#[test]
fn types_of_mariadb_that_look_like_binary_are_refused() {
    for column in ["{u}", "{i6}", "{i4}"] {
        let rules = Rules::new([rule("v_mariadb", column)]).unwrap();
        super::check(&effects_of_binlog(VALUES[1], &rules), &["golden.v_mariadb: type"]);
    }
}

#[test]
fn every_recorded_statement_is_understood() {
    for binlog in STATEMENTS {
        let (mut prepared, mut ended, mut touched) = (BTreeSet::new(), BTreeSet::new(), Effects::new());
        let rules = ["orders", "stores", "copy", "shelves", "boards", "unknown"];
        let rules = rules.map(|table| Rule::table(format!("shop.{table}")).all(table));
        let rules = Rules::new(rules).unwrap();
        for_each_event(binlog, |event| match event {
            Event::Query(query) => {
                let statement = Statement::read(&query.text);
                assert_ne!(statement, Statement::Unclear, "{}", String::from_utf8_lossy(&query.text));
                rules.apply_statement(&statement, std::str::from_utf8(query.schema).unwrap(), &mut touched);
                if let Statement::XaCommit(xid) | Statement::XaRollback(xid) = statement {
                    ended.insert(xid);
                }
            }
            Event::XaPrepare(branch) if !branch.one_phase => drop(prepared.insert((&branch).into())),
            _ => {}
        });
        assert!(!prepared.is_empty() && prepared == ended, "{prepared:?} {ended:?}");
        let tables = ["orders", "stores", "copy", "shelves", "boards"].map(|table| format!("shop.{table}: statement"));
        let expect = tables.into_iter().chain(["everything: statement_format".to_owned()]).collect();
        assert_eq!(listed(&touched), expect);
    }
}
