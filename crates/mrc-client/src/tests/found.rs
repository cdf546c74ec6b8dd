//! Every way to a value has the same check: a value that a hit may not return reaches no caller.

use super::*;

/// Values that no caller of a query may get: no rows, or rows larger than the limit of 20 bytes.
const WRONG: [&str; 4] = ["nonsense", r#"{"version":7}"#, r#"[{"version":7"#, r#"[{"version":7000000}]"#];

fn limited(database: Arc<Database>) -> Fixture {
    Fixture::with(database, Spy::new(), |builder| builder.max_value(20).stale_on_error(HOUR))
}

#[tokio::test]
async fn a_value_of_another_process_is_checked_and_computed_anew() {
    for wrong in WRONG {
        let it = limited(Database::open());
        it.store.memory.claim(&it.key(), &Token::from_bits(7), Terms::fill(HOUR)).await.unwrap();
        let waiting = it.ask();
        until(|| it.store.calls().contains(&"claim")).await;
        it.store.memory.put(&it.key(), wrong.into(), HOUR).await.unwrap();
        let answer = waiting.await.unwrap().unwrap();
        assert_eq!((version(&answer), answer.source()), (1, Source::Computed), "{wrong}");
        assert!(it.events().contains(&"BadValue".to_owned()), "{wrong}");
        assert_eq!(it.store.memory.get(&it.key()).await.unwrap().unwrap(), r#"[{"version":1}]"#, "{wrong}");
    }
}

#[tokio::test]
async fn a_copy_is_checked() {
    for wrong in WRONG {
        let it = limited(Database::open());
        *it.database.fails.lock().unwrap() = true;
        let copy = |text: &str| Some(Found { value: text.to_owned().into(), tags: Some(Default::default()) });
        *it.store.copy.lock().unwrap() = copy(wrong);
        assert!(matches!(it.ask().await.unwrap(), Err(Error::Database(_))), "{wrong}");
        assert_eq!(it.events(), ["Miss", "Failed", "BadValue"]);
        *it.store.copy.lock().unwrap() = copy(r#"[{"version":7}]"#);
        assert_eq!(it.version().await, 7);
    }
}

#[tokio::test]
async fn a_leader_of_another_shape_is_not_followed() {
    let it = Fixture::new(Database::open());
    let gate = Arc::new(Semaphore::new(0));
    let (client, opened) = (it.client.clone(), gate.clone());
    let leader = tokio::spawn(async move {
        let function = || async move {
            opened.acquire().await.unwrap().forget();
            Ok::<_, Error>(5)
        };
        client.with_cache(function, SQL, params! { "Id" => 1 }, HOUR).await
    });
    until(|| it.store.calls().contains(&"claim")).await;
    let follower = it.ask();
    until(|| it.store.calls().iter().filter(|call| **call == "get").count() == 2).await;
    tokio::task::yield_now().await;
    gate.add_permits(1);
    assert_eq!((leader.await.unwrap().unwrap(), version(&follower.await.unwrap().unwrap())), (5, 1));
}

#[tokio::test]
async fn a_function_is_told_apart_by_the_types_of_its_params_too() {
    let it = Fixture::new(Database::open());
    let ask = async |value: Value, answer: u64| {
        let made = async || {
            tokio::task::yield_now().await;
            Ok::<_, Error>(answer)
        };
        it.client.with_cache(made, "report", params! { "Code" => value }, HOUR).await.unwrap()
    };
    for [one, other] in [[Value::from(0), "0".into()], [Value::Null, "null".into()], [true.into(), "true".into()]] {
        assert_eq!((ask(one.clone(), 1).await, ask(other.clone(), 2).await), (1, 2), "{other:?}");
        assert_eq!(tokio::join!(ask(one, 3), ask(other.clone(), 4)), (3, 4), "{other:?}, at once");
    }
    let digits = params! { "Code" => "7" };
    assert!(it.client.write_to_cache("report", &5, &digits, HOUR).await.unwrap());
    assert_eq!(ask("7".into(), 6).await, 5, "a value that was written by hand is taken");
}
