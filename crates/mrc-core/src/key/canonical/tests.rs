use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::ser::{
    SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

use super::*;

fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn check<T: Serialize + ?Sized>(value: &T, expect: &str) {
    assert_eq!(text(value).unwrap(), expect);
}

#[derive(Serialize)]
struct Meters(f64);

#[derive(Serialize)]
struct Marker;

#[derive(Serialize)]
struct Pair(u8, u8);

#[derive(Serialize)]
struct Filter {
    state: State,
    #[serde(rename = "most recent")]
    recent: Option<u8>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum State {
    Open,
    #[serde(rename = "in-progress")]
    Doing,
    #[serde(rename = "null")]
    Nothing,
    Since(i32),
    Between(i32, i32),
    Of {
        owner: &'static str,
    },
}

#[test]
fn scalars() {
    check(&1_u8, "1");
    check(&-1_i64, "-1");
    check(&i128::MIN, "-170141183460469231731687303715884105728");
    check(&u128::MAX, "340282366920938463463374607431768211455");
    check(&1.0_f32, "1.0");
    check(&1e300, "1e300");
    check(&1e-7, "1e-7");
    check(&-0.0, "-0.0");
    check(&0.1, "0.1");
    check(&true, "true");
    check("a\"\n\u{1}é", r#""a\"\n\u0001é""#);
    check(&'a', r#""a""#);
    check(&V::Bytes(b"hi\n".to_vec()), r#"x"68690a""#);
    check(&(), "()");
    check(&Marker, "()");
    check(&Meters(1.5), "1.5");
}

#[test]
fn a_none_inside_of_somes_is_not_a_none() {
    check(&Some(5), "5");
    check(&Some(Some(5)), "5");
    check(&None::<u8>, "null");
    check(&Some(None::<u8>), "Some(null)");
    check(&Some(Some(None::<u8>)), "Some(Some(null))");
    check(&Some("null"), "\"null\"");
    check(&vec![Some(None), None::<Option<u8>>], "[Some(null),null]");
}

#[test]
fn compounds() {
    check(&(1, "a", [true; 2]), r#"[1,"a",[true,true]]"#);
    check(&Pair(1, 2), "[1,2]");
    check(&Vec::<u8>::new(), "[]");
    check(&Filter { state: State::Open, recent: Some(3) }, r#"{state:Open,@"most recent":3}"#);
    check(&State::Doing, "in-progress");
    check(&State::Nothing, r#"@"null""#);
    check(&State::Since(1), "Since(1)");
    check(&State::Between(1, 2), "Between(1,2)");
    check(&State::Of { owner: "me" }, r#"Of{owner:"me"}"#);
}

#[test]
fn maps_are_sorted_by_their_keys() {
    check(&HashMap::from([("b", 1), ("a", 2), ("c", 3), ("", 4)]), r#"#{"":4,"a":2,"b":1,"c":3}"#);
    check(&BTreeMap::from([(2, 'x'), (10, 'y')]), r#"#{10:"y",2:"x"}"#);
    check(&BTreeMap::<u8, u8>::new(), "#{}");
    check(&BTreeMap::from([(State::Open, BTreeMap::from([(true, 0)]))]), "#{Open:#{true:0}}");
}

#[test]
fn keys_of_maps_are_text_like() {
    fn refused<K: Serialize + Ord>(key: K) {
        assert!(matches!(text(&BTreeMap::from([(key, 1)])), Err(Failure::MapKey)));
    }
    refused((1, 2));
    refused(());
    refused(None::<u8>);
    refused(Some(None::<u8>));
    refused(State::Since(1));
    refused(State::Of { owner: "" });
    assert!(matches!(text(&V::Map(vec![(V::Bytes(vec![1]), V::Unit)])), Err(Failure::MapKey)));
}

#[test]
fn no_text_for_numbers_that_are_not_finite() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(text(&Some([value])), Err(Failure::NotFinite)));
        assert!(matches!(text(&(value as f32)), Err(Failure::NotFinite)));
    }
}

#[test]
fn the_error_of_a_serialize_is_reported() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("the socket is closed"))
        }
    }
    assert!(matches!(text(&[Broken]), Err(Failure::Said(said)) if said == "the socket is closed"));
}

/// A value of serde's data model.
#[derive(Debug, Clone, PartialEq)]
enum V {
    Unit,
    UnitStruct,
    Bool(bool),
    I64(i64),
    U8(u8),
    I128(i128),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<V>),
    Newtype(Box<V>),
    Seq(Vec<V>),
    Tuple(Vec<V>),
    TupleStruct(Vec<V>),
    Map(Vec<(V, V)>),
    Struct(Vec<(&'static str, V)>),
    UnitVariant(&'static str),
    NewtypeVariant(&'static str, Box<V>),
    TupleVariant(&'static str, Vec<V>),
    StructVariant(&'static str, Vec<(&'static str, V)>),
}

impl Serialize for V {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => to.serialize_unit(),
            Self::UnitStruct => to.serialize_unit_struct("S"),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::I64(value) => to.serialize_i64(*value),
            Self::U8(value) => to.serialize_u8(*value),
            Self::I128(value) => to.serialize_i128(*value),
            Self::U128(value) => to.serialize_u128(*value),
            Self::F32(value) => to.serialize_f32(*value),
            Self::F64(value) => to.serialize_f64(*value),
            Self::Char(value) => to.serialize_char(*value),
            Self::Str(value) => to.serialize_str(value),
            Self::Bytes(value) => to.serialize_bytes(value),
            Self::None => to.serialize_none(),
            Self::Some(value) => to.serialize_some(value),
            Self::Newtype(value) => to.serialize_newtype_struct("S", value),
            Self::Seq(values) => to.collect_seq(values),
            Self::Tuple(values) => {
                let mut to = to.serialize_tuple(values.len())?;
                values.iter().try_for_each(|value| to.serialize_element(value))?;
                to.end()
            }
            Self::TupleStruct(values) => {
                let mut to = to.serialize_tuple_struct("S", values.len())?;
                values.iter().try_for_each(|value| to.serialize_field(value))?;
                to.end()
            }
            Self::Map(entries) => to.collect_map(entries.iter().map(|(key, value)| (key, value))),
            Self::Struct(fields) => {
                let mut to = to.serialize_struct("S", fields.len())?;
                fields.iter().try_for_each(|(name, value)| to.serialize_field(name, value))?;
                to.end()
            }
            Self::UnitVariant(name) => to.serialize_unit_variant("E", 0, name),
            Self::NewtypeVariant(name, value) => to.serialize_newtype_variant("E", 0, name, value),
            Self::TupleVariant(name, values) => {
                let mut to = to.serialize_tuple_variant("E", 0, name, values.len())?;
                values.iter().try_for_each(|value| to.serialize_field(value))?;
                to.end()
            }
            Self::StructVariant(name, fields) => {
                let mut to = to.serialize_struct_variant("E", 0, name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| to.serialize_field(name, value))?;
                to.end()
            }
        }
    }
}

impl V {
    /// Returns the one value that stands for all values that share its text on purpose.
    fn plain(self) -> Self {
        let plain = |values: Vec<Self>| values.into_iter().map(Self::plain).collect();
        let fields = |fields: Vec<(_, Self)>| fields.into_iter().map(|(name, value)| (name, value.plain())).collect();
        match self {
            Self::UnitStruct => Self::Unit,
            Self::I64(value) => Self::I128(value.into()),
            Self::U8(value) => Self::I128(value.into()),
            Self::U128(value) => i128::try_from(value).map_or(Self::U128(value), Self::I128),
            Self::F32(value) => Self::F64(value.into()),
            Self::Char(value) => Self::Str(value.into()),
            Self::Some(value) => match value.plain() {
                nothing @ (Self::None | Self::Some(_)) => Self::Some(nothing.into()),
                value => value,
            },
            Self::Newtype(value) => value.plain(),
            Self::Seq(values) | Self::Tuple(values) | Self::TupleStruct(values) => Self::Seq(plain(values)),
            Self::Map(entries) => {
                let mut entries: Vec<_> =
                    entries.into_iter().map(|(key, value)| (key.plain(), value.plain())).collect();
                entries.sort_by_key(|entry| format!("{entry:?}"));
                Self::Map(entries)
            }
            Self::Struct(of) => Self::Struct(fields(of)),
            Self::NewtypeVariant(name, value) => Self::TupleVariant(name, vec![value.plain()]),
            Self::TupleVariant(name, values) => Self::TupleVariant(name, plain(values)),
            Self::StructVariant(name, of) => Self::StructVariant(name, fields(of)),
            value => value,
        }
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b", "a-b", "null", "true", "Some", "1", "", "a(1", "a,b", "a:1", "@\"a\"", "x\"", "{",
    ])
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![name().prop_map(Into::into), "[a,:(){}\\[\\]\"\\\\ \n]{0,4}", any::<String>()]
}

/// Few values of each kind, so that different values are often almost equal.
fn scalar() -> impl Strategy<Value = V> {
    prop_oneof![
        any::<bool>().prop_map(V::Bool),
        (-2..3_i64).prop_map(V::I64),
        (0..3_u8).prop_map(V::U8),
        prop_oneof![-2..3_i128, Just(i128::MIN), Just(i128::MAX)].prop_map(V::I128),
        prop_oneof![0..3_u128, Just(u128::MAX)].prop_map(V::U128),
        prop::sample::select(vec![0.0, 1.0, 0.1, 1e10]).prop_map(V::F32),
        prop_oneof![
            prop::sample::select(vec![0.0, 1.0, 0.1, -2.0, 1e16, 1e-7, f64::MAX]),
            any::<f64>().prop_filter("finite, and not -0.0, which equals 0.0", |value| value.is_normal())
        ]
        .prop_map(V::F64),
        prop_oneof![Just('a'), Just('1'), any::<char>()].prop_map(V::Char),
        string().prop_map(V::Str),
        name().prop_map(V::UnitVariant),
    ]
}

fn value() -> impl Strategy<Value = V> {
    let leaf = prop_oneof![
        4 => scalar(),
        1 => Just(V::Unit),
        1 => Just(V::UnitStruct),
        1 => Just(V::None),
        1 => prop::collection::vec(any::<u8>(), 0..3).prop_map(V::Bytes),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        let values = || prop::collection::vec(inner.clone(), 0..3);
        let fields = || prop::collection::vec((name(), inner.clone()), 0..3);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(V::Some),
            boxed().prop_map(V::Newtype),
            values().prop_map(V::Seq),
            values().prop_map(V::Tuple),
            values().prop_map(V::TupleStruct),
            prop::collection::vec((scalar(), inner.clone()), 0..3).prop_map(V::Map),
            fields().prop_map(V::Struct),
            (name(), boxed()).prop_map(|(name, value)| V::NewtypeVariant(name, value)),
            (name(), values()).prop_map(|(name, values)| V::TupleVariant(name, values)),
            (name(), fields()).prop_map(|(name, fields)| V::StructVariant(name, fields)),
        ]
    })
}

proptest! {
    #[test]
    fn one_text_for_one_value(values in prop::collection::vec(value(), 2..80)) {
        let mut seen: HashMap<String, V> = HashMap::new();
        let mut texts: HashMap<String, String> = HashMap::new();
        for value in values {
            let (text, plain) = (text(&value).unwrap(), value.plain());
            let earlier = seen.entry(text.clone()).or_insert_with(|| plain.clone());
            prop_assert_eq!(&*earlier, &plain, "both are {}", text);
            let earlier = texts.entry(format!("{plain:?}")).or_insert_with(|| text.clone());
            prop_assert_eq!(&*earlier, &text);
        }
    }
}

/// All small values, and the result of each constructor for each of them.
#[test]
fn one_text_for_each_small_value() {
    const NAMES: [&str; 9] = ["a", "null", "true", "Some", "1", "", "a:1", "a(1", "@\"a\""];
    let mut values =
        vec![V::Unit, V::UnitStruct, V::None, V::Bool(true), V::U8(1), V::I64(-1), V::F64(1.0), V::F32(1.0)];
    values.extend([V::Char('a'), V::Bytes(vec![]), V::Bytes(vec![1])]);
    values.extend([V::Seq(vec![]), V::Map(vec![]), V::Struct(vec![])]);
    values.extend(NAMES.map(|name| V::Str(name.into())));
    values.extend(NAMES.map(V::UnitVariant));
    values.extend(NAMES.map(|name| V::TupleVariant(name, vec![])));
    values.extend(NAMES.map(|name| V::StructVariant(name, vec![])));
    let scalars: Vec<_> =
        values.iter().filter(|value| matches!(value, V::Str(_) | V::UnitVariant(_) | V::U8(_))).cloned().collect();
    for _ in 0..2 {
        let smaller = values.clone();
        for (at, value) in smaller.iter().enumerate() {
            let boxed = || Box::new(value.clone());
            let (name, key) = (NAMES[at % NAMES.len()], &scalars[at % scalars.len()]);
            values.extend([V::Some(boxed()), V::Newtype(boxed())]);
            values.extend([V::Seq(vec![value.clone()]), V::Seq(vec![V::None, value.clone()])]);
            values.extend(scalars.iter().map(|key| V::Map(vec![(key.clone(), value.clone())])));
            values.extend(NAMES.map(|name| V::Struct(vec![(name, value.clone())])));
            values.extend([
                V::NewtypeVariant(name, boxed()),
                V::TupleVariant(name, vec![value.clone(), V::None]),
                V::StructVariant(name, vec![("a", value.clone())]),
                V::Struct(vec![("a", value.clone()), (name, V::None)]),
                V::Map(vec![(key.clone(), value.clone()), (V::Str("z".into()), V::None)]),
            ]);
        }
    }
    let mut seen: HashMap<String, V> = HashMap::new();
    for value in values {
        let (text, plain) = (text(&value).unwrap(), value.plain());
        let earlier = seen.entry(text.clone()).or_insert_with(|| plain.clone());
        assert_eq!(*earlier, plain, "both are {text}");
    }
    assert!(seen.len() > 50_000, "{}", seen.len());
}
