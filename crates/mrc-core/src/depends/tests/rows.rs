//! Which tags a changed row ends.

use crate::depends::*;
use crate::{Date, params};

const CI: CollationFolding = CollationFolding::CASE_FOR_TESTS;

fn columns() -> TableColumns {
    let columns = [
        ("id", ColumnType::Int),
        ("price", ColumnType::Decimal { scale: 2 }),
        ("Name", ColumnType::Text(CI)),
        ("bin", ColumnType::Text(CollationFolding::EXACT)),
        ("state", ColumnType::Enum(CI)),
        ("raw", ColumnType::Bytes),
        ("day", ColumnType::Date),
        ("at", ColumnType::DateTime),
        ("json", ColumnType::Other),
    ];
    TableColumns(columns.map(|(name, kind)| TableColumn { name: name.into(), kind }).into())
}

fn table() -> TableName {
    TableName::new("shop", "Orders")
}

fn fit(scheme: &str) -> Fit {
    Scheme::parse(scheme).unwrap().bind(&table(), &columns()).fit().clone()
}

/// Returns the tag of a row that has `value` in the column of the scheme, without `t:shop.orders?`.
fn tag(scheme: &str, value: RowValue<'_>) -> String {
    let columns = columns();
    let name = scheme.split(':').next().unwrap();
    let cell = |column: &TableColumn| if column.name.to_lowercase() == name { value } else { RowValue::Other };
    let row: Vec<RowValue<'_>> = columns.0.iter().map(cell).collect();
    match Scheme::parse(scheme).unwrap().bind(&table(), &columns).tags(None, Some(&row)) {
        RowTags::Tags(tags) => tags.iter().map(|tag| tag.as_str().replace("t:shop.orders?", "")).collect(),
        RowTags::EveryEntryOfTheScheme(_) => "every".into(),
    }
}

/// ⚠ A class that doesn't fit is the scheme's property.
#[test]
fn each_class_fits_its_columns_alone() {
    let fitting = [
        ("int", vec!["id", "price"]),
        ("dec2", vec!["price"]),
        ("dec3", vec![]),
        ("text", vec!["name", "bin", "state"]),
        ("ntext", vec!["name", "bin"]),
        ("bytes", vec!["raw"]),
        ("date", vec!["day"]),
        ("null", vec!["id", "price", "name", "bin", "state", "raw", "json"]),
    ];
    for (class, expected) in fitting {
        for column in columns().0 {
            let name = column.name.to_lowercase();
            let is_exact = fit(&format!("{name}:{class}")) == Fit::Exact;
            assert_eq!(is_exact, expected.contains(&&*name), "{name}:{class}");
        }
    }
    assert_eq!(fit("id:text"), Fit::Misfit { column: "id".into(), class: Class::Text });
    assert_eq!(fit("id:int,gone:int"), Fit::NoSuchColumn { column: "gone".into() });
    assert_eq!(fit(""), Fit::Exact);
}

#[test]
fn a_row_has_the_text_that_a_reader_writes() {
    assert_eq!(tag("id:int", RowValue::Int(-5)), "id=-5");
    assert_eq!(tag("price:int", RowValue::Decimal("6.00")), "price=6");
    assert_eq!(tag("price:dec2", RowValue::Decimal("-0.50")), "price=~2:-0.5");
    assert_eq!(tag("price:dec1", RowValue::Decimal("0.00")), "price=~1:0");
    assert_eq!(tag("name:text", RowValue::Text("New York ")), "name=new york");
    assert_eq!(tag("name:ntext", RowValue::Text("6")), "name=~t6");
    assert_eq!(tag("state:text", RowValue::Text("Open")), "state=open");
    assert_eq!(tag("raw:bytes", RowValue::Bytes(&[1])), "raw=~xbf8b4530d8d246dd74ac53a13471bba17941dff7");
    assert_eq!(tag("day:date", RowValue::Date(Date::new(2025, 1, 15).unwrap())), "day=~d2025-01-15");
    assert_eq!(tag("json:null", RowValue::Null), "json=∅");
}

#[test]
fn null_meets_only_is_null() {
    for scheme in ["id:int", "name:text", "raw:bytes", "day:date"] {
        assert_eq!(tag(scheme, RowValue::Null), "", "{scheme}");
    }
    assert_eq!(tag("id:null", RowValue::Int(0)), "");
}

#[test]
fn an_uncertain_value_ends_the_scheme() {
    assert_eq!(tag("name:text", RowValue::Text("Müller")), "every");
    assert_eq!(tag("name:text", RowValue::Text("a\tb")), "every");
    // With an exact collation no constant of a reader is equal.
    assert_eq!(tag("bin:text", RowValue::Text("Müller")), "");
    assert_eq!(tag("bin:text", RowValue::Text("Ab")), "bin=ab");
    // ⚠ An ENUM of index 0.
    assert_eq!(tag("state:text", RowValue::Other), "every");
    assert_eq!(tag("id:int", RowValue::Other), "every");
    assert_eq!(tag("day:null", RowValue::Int(0)), "every");
}

#[test]
fn a_column_that_cannot_match_outweighs_an_uncertain_one() {
    let scheme = Scheme::parse("id:int,name:text").unwrap().bind(&table(), &columns());
    let row = |id, name| [id, RowValue::Other, RowValue::Text(name)];
    let tags = |row: &[RowValue<'_>]| scheme.tags(Some(row), None);
    assert_eq!(tags(&row(RowValue::Null, "ü")), RowTags::Tags(vec![]));
    let every = RowTags::EveryEntryOfTheScheme(Uncertain::Value { column: "name".into() });
    assert_eq!(tags(&row(RowValue::Int(1), "ü")), every);
    // A row that is too short.
    let every = RowTags::EveryEntryOfTheScheme(Uncertain::Value { column: "name".into() });
    assert_eq!(tags(&[RowValue::Int(1)]), every);
}

#[test]
fn both_images_count() {
    let scheme = Scheme::parse("id:int").unwrap().bind(&table(), &columns());
    let texts = |before: &[RowValue<'_>], after: &[RowValue<'_>]| match scheme.tags(Some(before), Some(after)) {
        RowTags::Tags(tags) => tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>(),
        RowTags::EveryEntryOfTheScheme(_) => panic!(),
    };
    assert_eq!(texts(&[RowValue::Int(1)], &[RowValue::Int(2)]), ["t:shop.orders?id=1", "t:shop.orders?id=2"]);
    assert_eq!(texts(&[RowValue::Int(1)], &[RowValue::Int(1)]), ["t:shop.orders?id=1"]);
    assert_eq!(texts(&[RowValue::Null], &[RowValue::Int(1)]), ["t:shop.orders?id=1"]);
}

#[test]
fn a_collation_makes_its_letters_uncertain() {
    // Lithuanian: i = y. In MySQL's answer the pairs come too.
    let rows = [(4, "69,49,79,59"), (2, "61,41"), (2, "6169,6179"), (2, "6120,61")];
    let folding = CollationFolding::from_rows(rows);
    let kind = ColumnType::Text(folding);
    let columns = TableColumns(vec![TableColumn { name: "a".into(), kind }]);
    let scheme = Scheme::parse("a:text").unwrap().bind(&table(), &columns);
    let is_certain = |text| matches!(scheme.tags(None, Some(&[RowValue::Text(text)])), RowTags::Tags(_));
    assert!(is_certain("abc") && is_certain("A b"));
    assert!(!is_certain("bit") && !is_certain("bYt"));
    // A pair and a doubled pair that single letters don't explain, a list that was cut.
    for rows in [vec![(2, "6368,78")], vec![(2, "73737A,737A737A")], vec![(3, "61,41")], vec![(1, "zz")]] {
        let folding = CollationFolding::from_rows(rows.clone());
        assert_ne!(folding, CI, "{rows:?}");
    }
}

#[test]
fn a_scheme_is_read_or_refused() {
    for text in ["", "a:int", "a%2Cb:dec12,c:null"] {
        assert!(Scheme::parse(text).is_ok(), "{text}");
    }
    for text in ["a", "a:", "a:what", "a:dec", ",", "a:int,", "%zz:int", "%E:int", "a:dec300"] {
        assert!(Scheme::parse(text).is_err(), "{text}");
    }
    assert_eq!(Scheme::parse("b:int").unwrap().tag(&table()).as_str(), "t:shop.orders?b:int");
}

#[test]
fn a_name_is_read_as_its_table_and_its_scheme() {
    let name = SchemeName::new("t:shop.my%20orders?state:text,store_id:int");
    let (table, scheme) = name.read().unwrap();
    assert_eq!(table, TableName::new("shop", "my orders"));
    assert_eq!(scheme.tag(&table), name.tag);
    assert_eq!(name.of_table(), "t:shop.my%20orders?");
    assert_eq!(name.weakest().read().unwrap(), (table, Scheme::parse("").unwrap()));
    for wrong in ["", "t:shop.orders", "shop.orders?id:int", "t:orders?id:int", "t:shop.orders?id:colour"] {
        assert!(SchemeName::new(wrong).read().is_err(), "{wrong}");
    }
}

#[test]
fn only_tags_of_schemes_are_taken_for_some() {
    let long = SchemeName::new(format!("t:shop.orders?{}:int", "c".repeat(300)));
    assert!(long.tag.as_str().len() < 60, "{}", long.tag);
    for tag in [long.tag.as_str(), "t:shop.orders?", "t:shop.orders?id:int"] {
        assert!(SchemeName::is_tag(tag), "{tag}");
    }
    let of_call =
        derive("SELECT 1 FROM orders WHERE note = ?", Some("shop")).tags(&params! { "Note" => "a?".repeat(200) });
    for tag in ["orders", "t:shop.orders", "t:shop.orders?id=1", of_call[0].tag.as_str()] {
        assert!(!SchemeName::is_tag(tag), "{tag}");
    }
}
