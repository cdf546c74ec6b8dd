//! Values survive storage: a hit returns what was stored.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::support::*;

tests!(
    on_every_store,
    x15_r18_none_zero_false_and_empty_values_are_hits,
    d70_d71_d72_d116_values_of_every_type_survive_every_codec,
    x13_a_value_like_a_foreign_envelope_is_plain_data,
    d08_d12_d56_d57_d58_d62_d66_d112_r03_r04_r05_values_by_name,
    d63_many_are_removed_and_others_stay,
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    nick: Option<String>,
    role: Role,
    settings: BTreeMap<String, Vec<f64>>,
    friends: Vec<User>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Role {
    Guest,
    Staff(u32),
    Admin { since: i64 },
}

/// Stored as text.
#[derive(Debug, Clone, PartialEq)]
struct Euros(u32);

impl Serialize for Euros {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{} EUR", self.0))
    }
}

impl<'de> Deserialize<'de> for Euros {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_suffix(" EUR").and_then(|number| number.parse().ok());
        number.map(Self).ok_or_else(|| serde::de::Error::custom("no euros"))
    }
}

fn user() -> User {
    let settings = BTreeMap::from([("é\"\n".to_owned(), vec![1.5, -0.0, 1e300]), (String::new(), vec![])]);
    let friend = User {
        id: u64::MAX,
        name: "{}".into(),
        nick: None,
        role: Role::Guest,
        settings: BTreeMap::new(),
        friends: vec![],
    };
    let nick = Some("😀".into());
    User { id: 1, name: "Ann".into(), nick, role: Role::Admin { since: -1 }, settings, friends: vec![friend] }
}

async fn x15_r18_none_zero_false_and_empty_values_are_hits(place: &Place) {
    let cache = place.cache();
    empty_values_are_hits(&cache).await;
}

async fn d70_d71_d72_d116_values_of_every_type_survive_every_codec(place: &Place) {
    for codec in codecs() {
        let cache = place.builder(&format!("{codec:?}")).codec(codec).build().unwrap();
        survives(&cache, "héllo \u{0}\"\\ 😀".to_owned()).await;
        // The store has marks of its own at the ends of values.
        survives(&cache, " a \n ".to_owned()).await;
        survives(&cache, (i64::MIN, u64::MAX, -1)).await;
        survives(&cache, [1.0, 0.1, -0.0, 1e-7, f64::MAX]).await;
        survives(&cache, (true, 'x')).await;
        survives(&cache, vec![Some(1), None]).await;
        survives(&cache, json!({"a": [1, 2.5, {"b": null}], "é": "ü", "": [true, []]})).await;
        survives(&cache, user()).await;
        survives(&cache, vec![Role::Guest, Role::Staff(7), Role::Admin { since: 0 }]).await;
        survives(&cache, Ok::<_, Role>(user())).await;
        survives(&cache, Err::<User, _>(Role::Staff(1))).await;
        survives(&cache, Euros(12)).await;
        survives(&cache, (0..=255).collect::<Vec<u8>>()).await;
    }
}

async fn x13_a_value_like_a_foreign_envelope_is_plain_data(place: &Place) {
    let cache = place.cache();
    let of = |module, class| json!({"type": "cached_exception", "exception_module": module, "exception_class": class, "message": "id"});
    survives(&cache, of("os", "system")).await;
    survives(&cache, vec![of("builtins", "ValueError")]).await;
    survives(&cache, json!({"type": "cacheable_value", "class": "User", "module": "app", "data": {}})).await;
    survives(&cache, json!({"Ok": 1})).await;
}

async fn d08_d12_d56_d57_d58_d62_d66_d112_r03_r04_r05_values_by_name(place: &Place) {
    let cache = place.cache();
    let entry = cache.entry::<Value>("a");
    assert_eq!((entry.get().await.unwrap(), entry.ttl().await.unwrap()), (None, None));
    assert!(!cache.contains("a").await.unwrap());
    for value in [json!("text"), json!({"name": "Ann", "tags": [{"x": [1, null]}]})] {
        assert!(entry.set(&value).await.unwrap());
        assert_eq!(entry.get().await.unwrap(), Some(value));
        assert!(cache.contains("a").await.unwrap());
    }
    assert!(cache.set("b", "stays").await.unwrap());
    assert!(entry.remove().await.unwrap());
    assert!(!entry.remove().await.unwrap(), "there is none any more");
    assert_eq!(entry.get().await.unwrap(), None);
    assert_eq!(cache.get::<String>("b").await.unwrap().as_deref(), Some("stays"));
    assert_eq!((cache.clear().await.unwrap(), cache.len().await.unwrap()), (1, 0));
}

async fn d63_many_are_removed_and_others_stay(place: &Place) {
    let cache = place.cache();
    for name in ["a", "b", "c", "d"] {
        cache.set(name, &1).await.unwrap();
    }
    for name in ["a", "b"] {
        assert!(cache.remove(name).await.unwrap());
    }
    let left = [cache.contains("b").await.unwrap(), cache.contains("c").await.unwrap()];
    assert_eq!((left, cache.len().await.unwrap()), ([false, true], 2));
}
