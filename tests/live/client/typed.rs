//! Reads every MySQL type as its Rust types: in each row format, from the database and the cache.

use std::fmt::Debug;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use mrc::{Error, MrcClient, Params, Query, RowFormat, Source, params};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::{Month, OffsetDateTime, PrimitiveDateTime};

use super::support::*;
use crate::executor::FORMATS;

const SCHEMA: &str = "
    CREATE TABLE typed (id INT PRIMARY KEY, flag BOOLEAN, bit1 BIT(1), mask BIT(7), total DECIMAL(30,10), price DECIMAL(10,2),
        big BIGINT UNSIGNED, small SMALLINT, year YEAR, f FLOAT, d DOUBLE, code VARCHAR(20), note TEXT, state ENUM('open', 'paid'),
        raw BLOB, bin VARBINARY(8), day DATE, at DATETIME(3), whole DATETIME, took TIME, doc JSON, list JSON, none INT NULL);
    INSERT INTO typed VALUES
        (1, TRUE, b'1', b'1000001', 12345678901234567890.0123456789, 10.50, 9007199254740991, -7, 2025, 1.5, 0.1, '123', 'Café \"🚀\"', 'paid',
        'hi', 'YWJj', '2025-02-03', '2025-02-03 04:05:06.789', '2025-02-03 04:05:06', '04:05:06', '{\"on\": true, \"all\": [1, 2]}', '[1, 2]', NULL),
        (2, FALSE, b'0', 0, 0, 0, 0, 0, 1999, 0, 0, 'x', '', 'open', x'00ff', x'ff', '1999-12-31', '1999-12-31 00:00:00.000', '1999-12-31',
        '00:00:00', '{\"on\": false, \"all\": []}', '[]', 5)";

struct Reader {
    client: MrcClient,
    format: RowFormat,
}

impl Reader {
    /// Returns the clients of all formats. Each reads what it wrote.
    async fn all() -> (Shop, Vec<Self>) {
        let shop = Shop::open().await;
        shop.database.execute(SCHEMA).await;
        let client = |format| shop.builder().row_format(format).build().unwrap();
        let all = FORMATS.map(|format| Self { client: client(format), format });
        (shop, all.into())
    }

    /// Checks that the first row's expression is this value, on every path.
    async fn is<T: DeserializeOwned + PartialEq + Debug>(&self, expression: &str, expect: T) {
        let sql = format!("SELECT {expression} FROM typed WHERE id = ?");
        // The text isn't shared by readers, nor by types.
        let text = format!("{:?} {} {sql}", self.format, std::any::type_name::<T>());
        let query = || Query::new(sql.as_str()).keyed_as(text.as_str());
        let context = format!("{text} as {}", std::any::type_name::<T>());
        for source in [Source::Computed, Source::Cache] {
            let answer = guarded(self.client.query_with_cache(query(), params! { "Id" => 1 }, HOUR)).await.unwrap();
            assert_eq!(answer.source(), source, "{context}");
            let row = answer.row::<T>().unwrap_or_else(|error| panic!("{context}: {error}: {:?}", answer.as_str()));
            assert_eq!(row.as_ref(), Some(&expect), "{context}");
        }
        let row = self.client.row_with_cache::<T>(query(), params! { "Id" => 1 }, HOUR).await.unwrap();
        assert_eq!(row, Some(expect), "{context}");
    }
}

#[tokio::test]
async fn each_type_in_each_format() {
    let (_shop, readers) = Reader::all().await;
    for it in &readers {
        it.is("flag", true).await;
        it.is("flag", 1_u8).await;
        it.is("id = 2", false).await;
        it.is("bit1", true).await;
        it.is("small", -7_i16).await;
        it.is("small", "-7".to_owned()).await;
        it.is("big", 9_007_199_254_740_991_u64).await;
        it.is("big", "9007199254740991".to_owned()).await;
        it.is("year", 2025_u16).await;
        it.is("f", 1.5_f32).await;
        it.is("d", 0.1_f64).await;
        it.is("price", rust_decimal::Decimal::new(1050, 2)).await;
        it.is("price", "10.5".to_owned()).await;
        it.is("price", 10.5_f64).await;
        it.is("COUNT(*)", 1_u64).await;
        it.is("SUM(small)", -7_i64).await;
        it.is("code", "123".to_owned()).await;
        it.is("note", "Café \"🚀\"".to_owned()).await;
        it.is("state", State::Paid).await;
        it.is("state", "paid".to_owned()).await;
        it.is("raw", b"hi".to_vec()).await;
        it.is("bin", b"YWJj".to_vec()).await;
        it.is("took", NaiveTime::from_hms_opt(4, 5, 6).unwrap()).await;
        it.is("took", time::Time::from_hms(4, 5, 6).unwrap()).await;
        it.is("took", "04:05:06".to_owned()).await;
        it.is("doc", (Document { on: true, all: vec![1, 2] },)).await;
        it.is("list", (vec![1_u32, 2],)).await;
        it.is("none", None::<u32>).await;
        it.is("none", None::<String>).await;
    }
}

#[tokio::test]
async fn dates_in_each_format() {
    let (_shop, readers) = Reader::all().await;
    let day = NaiveDate::from_ymd_opt(2025, 2, 3).unwrap();
    let at = day.and_hms_milli_opt(4, 5, 6, 789).unwrap();
    let time_day = time::Date::from_calendar_date(2025, Month::February, 3).unwrap();
    let time_at = time_day.with_hms_milli(4, 5, 6, 789).unwrap();
    for it in &readers {
        it.is::<NaiveDate>("day", day).await;
        it.is::<NaiveDateTime>("at", at).await;
        it.is::<DateTime<Utc>>("at", at.and_utc()).await;
        it.is::<NaiveDateTime>("whole", day.and_hms_opt(4, 5, 6).unwrap()).await;
        it.is::<Option<DateTime<Utc>>>("at", Some(at.and_utc())).await;
        it.is::<time::Date>("day", time_day).await;
        it.is::<PrimitiveDateTime>("at", time_at).await;
        it.is::<OffsetDateTime>("at", time_at.assume_utc()).await;
    }
}

/// Checks the values that only the format without loss keeps.
#[tokio::test]
async fn nothing_is_lost_in_canonical_rows() {
    let (_shop, readers) = Reader::all().await;
    let it = &readers[0];
    it.is("total", "12345678901234567890.0123456789".to_owned()).await;
    it.is("total", "12345678901234567890.0123456789".parse::<rust_decimal::Decimal>().unwrap()).await;
    it.is("mask", 65_u64).await;
    it.is("(SELECT raw FROM typed WHERE id = 2)", vec![0_u8, 255]).await;
    let script = &readers[1];
    script.is("mask", 65_u64).await;
    script.is("(SELECT raw FROM typed WHERE id = 2)", vec![0_u8, 255]).await;
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Paid,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Document {
    on: bool,
    all: Vec<u32>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Order {
    id: u64,
    flag: bool,
    price: rust_decimal::Decimal,
    raw: Vec<u8>,
    day: NaiveDate,
    state: State,
    none: Option<u32>,
}

/// Reads one struct without an attribute, from rows of any writer.
#[tokio::test]
async fn rows_are_structs_tuples_or_single_values() {
    let (shop, readers) = Reader::all().await;
    let sql = "SELECT id, flag, price, bin AS raw, day, state, none FROM typed WHERE id <= ? ORDER BY id";
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    for it in &readers {
        let query = || Query::new(sql).keyed_as(format!("{:?} {sql}", it.format));
        let params = || params! { "Most" => 1 };
        for _ in 0..2 {
            let orders: Vec<Order> = it.client.rows_with_cache(query(), params(), HOUR).await.unwrap();
            let raw = b"YWJj".to_vec();
            let price = rust_decimal::Decimal::new(105, 1);
            let expect = Order { id: 1, flag: true, price, raw, day: day(2025, 2, 3), state: State::Paid, none: None };
            assert_eq!(orders, [expect]);
        }
        let sql = "SELECT id, flag, none FROM typed ORDER BY id";
        let query = || Query::new(sql).keyed_as(format!("{:?} {sql}", it.format));
        let rows: Vec<(u64, bool, Option<u32>)> = it.client.rows_with_cache(query(), params! {}, HOUR).await.unwrap();
        assert_eq!(rows, [(1, true, None), (2, false, Some(5))]);
        let error = it.client.rows_with_cache::<(u64, bool)>(query(), params! {}, HOUR).await.unwrap_err().to_string();
        assert!(error.contains("[0]: expected a row of 2 columns, found one of 3"), "{error}");
        let flags: Vec<bool> =
            it.client.query("SELECT flag FROM typed ORDER BY id", params! {}).await.unwrap().rows().unwrap();
        assert_eq!(flags, [true, false]);
    }
    let row = async |sql: &str| shop.client.row_with_cache::<u64>(sql, Params::new(), HOUR).await;
    assert_eq!(row("SELECT id FROM typed WHERE id = 404").await.unwrap(), None);
    assert_eq!(row("SELECT COUNT(*) FROM typed").await.unwrap(), Some(2));
    let several = row("SELECT id FROM typed").await.unwrap_err();
    assert!(matches!(&several, Error::Decode { .. }), "{several}");
    assert!(several.to_string().contains("answered with 2 rows, and one was asked for"), "{several}");
    let max = "SELECT MAX(none) FROM typed WHERE id = 1";
    let none: Option<Option<u64>> = shop.client.row_with_cache(max, params! {}, HOUR).await.unwrap();
    assert_eq!(none, Some(None));
    let wrong = shop
        .client
        .rows_with_cache::<Order>("SELECT id, small AS flag FROM typed", params! {}, HOUR)
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("[0].flag: expected a boolean, found -7"), "{wrong}");
}
