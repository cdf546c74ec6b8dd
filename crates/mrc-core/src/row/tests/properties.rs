//! Any cells that an executor pushes become JSON, and nothing is lost.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Begin,
    End,
    Cell(Cell<'static>),
}

fn cell() -> impl Strategy<Value = Cell<'static>> {
    let date = |(year, month, day)| Date { year, month, day };
    let time = |(negative, hours, minutes, seconds, micros)| Time { negative, hours, minutes, seconds, micros };
    let at = move |(day, hour, minute, second, micros)| DateTime { date: date(day), hour, minute, second, micros };
    prop_oneof![
        Just(Cell::Null),
        any::<i64>().prop_map(Cell::Int),
        any::<f64>().prop_map(Cell::Double),
        any::<f32>().prop_map(Cell::Float),
        // The texts live until the end of the process: they are few.
        any::<String>().prop_map(|text| Cell::Text(text.leak())),
        "-?[0-9]{0,40}\\.?[0-9]{0,40}".prop_map(|text| Cell::Text(text.leak())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Cell::Bytes(bytes.leak())),
        "[\\[\\]{}:,\"a1. ]{0,6}".prop_map(|text| Cell::Json(text.leak())),
        "-?[0-9]{0,40}\\.?[0-9]{0,40}".prop_map(|text| Cell::Decimal(text.leak())),
        any::<(u16, u8, u8)>().prop_map(move |parts| Cell::Date(date(parts))),
        any::<(bool, u16, u8, u8, u32)>().prop_map(move |parts| Cell::Time(time(parts))),
        any::<((u16, u8, u8), u8, u8, u8, u32)>().prop_map(move |parts| Cell::DateTime(at(parts))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![2 => Just(Step::Begin), 2 => Just(Step::End), 8 => cell().prop_map(Step::Cell)]
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
        for step in steps {
            match step {
                Step::Begin => rows.begin_row(),
                Step::End => rows.end_row(),
                Step::Cell(cell) => _ = rows.cell(cell),
            }
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
