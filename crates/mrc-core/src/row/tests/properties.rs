//! Any cells that an executor pushes become JSON, and nothing is lost.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Begin,
    End,
    Null,
    Int(i64),
    Double(f64),
    Float(f32),
    Text(String),
    Bytes(Vec<u8>),
    Json(String),
    Decimal(String),
    Moment(u16, u8, u8, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Begin),
        2 => Just(Step::End),
        1 => Just(Step::Null),
        1 => any::<i64>().prop_map(Step::Int),
        1 => any::<f64>().prop_map(Step::Double),
        1 => any::<f32>().prop_map(Step::Float),
        1 => prop_oneof![any::<String>(), "-?[0-9]{0,40}\\.?[0-9]{0,40}"].prop_map(Step::Text),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        1 => "[\\[\\]{}:,\"a1. ]{0,6}".prop_map(Step::Json),
        1 => "-?[0-9]{0,40}\\.?[0-9]{0,40}".prop_map(Step::Decimal),
        1 => (any::<u16>(), any::<u8>(), any::<u8>(), any::<u32>()).prop_map(|(y, m, d, u)| Step::Moment(y, m, d, u)),
    ]
}

fn kind() -> impl Strategy<Value = ColumnKind> {
    prop_oneof![
        Just(ColumnKind::Int),
        Just(ColumnKind::Bit),
        Just(ColumnKind::Geometry),
        any::<u8>().prop_map(|fraction| ColumnKind::DateTime { fraction }),
        any::<u8>().prop_map(|fraction| ColumnKind::Time { fraction }),
    ]
}

fn take(rows: &mut RowEncoder, step: &Step) {
    let cell = match step {
        Step::Begin => return rows.begin_row(),
        Step::End => return rows.end_row(),
        Step::Null => Cell::Null,
        Step::Int(value) => Cell::Int(*value),
        Step::Double(value) => Cell::Double(*value),
        Step::Float(value) => Cell::Float(*value),
        Step::Text(text) => Cell::Text(text),
        Step::Bytes(bytes) => Cell::Bytes(bytes),
        Step::Json(text) => Cell::Json(text),
        Step::Decimal(text) => Cell::Decimal(text),
        Step::Moment(year, month, day, micros) => {
            let date = Date { year: *year, month: *month, day: *day };
            _ = rows.cell(Cell::Date(date));
            _ = rows.cell(Cell::Time(Time {
                negative: *month > 9,
                hours: *year,
                minutes: *day,
                seconds: *day,
                micros: *micros,
            }));
            Cell::DateTime(DateTime { date, hour: *month, minute: *day, second: *day, micros: *micros })
        }
    };
    _ = rows.cell(cell);
}

proptest! {
    #[test]
    fn any_pushed_cells_give_valid_json(
        format in prop_oneof![Just(Canonical), Just(TypeScript), Just(Python)],
        names in prop::collection::vec("[a-c0-2\"]{0,2}", 0..4),
        kinds in prop::collection::vec(kind(), 4),
        steps in prop::collection::vec(step(), 0..24),
    ) {
        let mut rows = RowEncoder::new(format);
        let columns: Vec<Column> = names.iter().zip(kinds).map(|(name, kind)| Column::new(name.as_str(), kind).in_table("t")).collect();
        let _ = rows.columns(&columns);
        for step in &steps {
            take(&mut rows, step);
        }
        let (count, length) = (rows.rows(), rows.len());
        let Ok(json) = rows.finish() else { return Ok(()) };
        // `finish` ends a row that is open and whole.
        prop_assert!(json.len() >= length);
        let objects: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(&json).unwrap();
        prop_assert!((count..=count + 1).contains(&(objects.len() as u64)));
        prop_assert!(objects.len() as u64 > count || json.len() == length);
    }

    #[test]
    fn text_reads_back(text in any::<String>()) {
        let canonical = one(Canonical, ColumnKind::Text, Cell::Text(&text)).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&canonical).unwrap(), text);
    }

    #[test]
    fn canonical_decimals_keep_every_digit(negative: bool, whole in "0|[1-9][0-9]{0,30}", fraction in "[0-9]{0,30}") {
        let sign = if negative { "-" } else { "" };
        let text = if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
        let json = one(Canonical, ColumnKind::Decimal, Cell::Decimal(&text)).unwrap();
        prop_assert_eq!(exact(&json), exact(&text));
        if json.contains('e') {
            prop_assert_eq!(&json, &one(TypeScript, ColumnKind::Decimal, Cell::Decimal(&text)).unwrap());
        }
    }
}

/// Returns the sign, the significant digits, and the power of ten of the last digit.
fn exact(number: &str) -> (bool, String, i32) {
    let (mantissa, exponent) = number.split_once('e').map_or((number, 0), |(m, e)| (m, e.parse::<i32>().unwrap()));
    let unsigned = mantissa.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return (false, String::new(), 0);
    }
    (number.starts_with('-'), kept.to_owned(), exponent - fraction.len() as i32 + (digits.len() - kept.len()) as i32)
}
