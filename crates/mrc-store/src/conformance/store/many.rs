//! The rules of steps for many entries: for each entry they are those of the step for one.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use mrc_core::Tag;

use super::races::{Row, pause};
use super::tags::life as tagged;
use super::{LONG, TRIES, TestedKey, keys, token};
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, Life, Terms, ToClaim, ToFill, Token};

/// More than one command of a store may take.
const MANY: usize = 600;

async fn remove(keys: &[TestedKey<'_>]) {
    let (Some(first), names) = (keys.first(), keys.iter().map(TestedKey::bytes).collect::<Vec<_>>()) else { return };
    first.must("remove", first.store.remove(&names).await);
}

/// Returns the values under the keys, at one look.
async fn got(keys: &[TestedKey<'_>]) -> Vec<Option<Bytes>> {
    let Some(first) = keys.first() else { return Vec::new() };
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let found = first.store.get_many(&names).await;
    assert_eq!(found.len(), keys.len(), "{first}: get_many must answer for each key");
    found.into_iter().zip(keys).map(|(found, key)| key.must("get_many", found)).collect()
}

/// Claims the keys with these terms. Returns each token with its answer.
async fn claimed(keys: &[TestedKey<'_>], terms: Terms) -> Vec<(Token, Claim)> {
    let Some(first) = keys.first() else { return Vec::new() };
    let tokens: Vec<Token> = keys.iter().map(|_| token()).collect();
    let claims: Vec<_> =
        keys.iter().zip(&tokens).map(|(key, token)| ToClaim { key: &key.name, token, terms }).collect();
    let answers = first.store.claim_many(&claims).await;
    assert_eq!(answers.len(), keys.len(), "{first}: claim_many must answer for each key");
    let answers = answers.into_iter().zip(keys).map(|(answer, key)| key.must("claim_many", answer));
    tokens.into_iter().zip(answers).collect()
}

/// Fills the keys under these tokens with `"[{place}]"`. Returns which values were stored.
async fn filled(keys: &[TestedKey<'_>], tokens: &[Token], life: impl Fn(usize) -> Life) -> Vec<bool> {
    let Some(first) = keys.first() else { return Vec::new() };
    let fills = keys.iter().zip(tokens).enumerate();
    let fills = fills.map(|(at, (key, token))| ToFill { key: &key.name, token, value: value(at), life: life(at) });
    let answers = first.store.fill_many(fills.collect()).await;
    assert_eq!(answers.len(), keys.len(), "{first}: fill_many must answer for each key");
    answers.into_iter().zip(keys).map(|(answer, key)| key.must("fill_many", answer)).collect()
}

fn value(at: usize) -> Bytes {
    format!("[{at}]").into()
}

/// Checks that values are found by their place, among missing keys and claims, however many.
pub async fn gets_many_in_their_order(store: &dyn CacheStore, prefix: &str) {
    assert!(store.get_many(&[]).await.is_empty(), "no keys have no values");
    let keys = keys(store, prefix, MANY);
    for (at, key) in keys.iter().enumerate().step_by(100) {
        key.must("put", store.put(&key.name, value(at), LONG).await);
    }
    keys[1].granted(LONG).await;
    let expect: Vec<_> = (0..MANY).map(|at| at.is_multiple_of(100).then(|| value(at))).collect();
    assert_eq!(got(&keys).await, expect, "the values of {MANY} keys");
    let twice: Vec<_> = [100, 1, 100].map(|at| TestedKey::new(store, &keys[at].name)).into();
    assert_eq!(got(&twice).await, [Some(value(100)), None, Some(value(100))], "a key that is asked for twice");
    remove(&keys).await;
}

/// Checks that each of many claims is granted, Busy or a hit by itself.
pub async fn claims_each_of_many(store: &dyn CacheStore, prefix: &str) {
    assert!(store.claim_many(&[]).await.is_empty(), "no claims have no answers");
    let keys = keys(store, prefix, MANY);
    keys[3].put("[3]", LONG).await;
    let other = keys[500].granted(LONG).await;
    let claims = claimed(&keys, Terms::fill(LONG)).await;
    for (at, (key, (_, claim))) in keys.iter().zip(&claims).enumerate() {
        match (at, claim) {
            (3, claim) => assert_eq!(*claim, Claim::Hit(value(3)), "{key}: a claim of a key that has a value"),
            (500, claim) => assert!(matches!(claim, Claim::Busy { .. }), "{key}: a second claim is {claim:?}"),
            (_, claim) => assert_eq!(*claim, Claim::Granted, "{key}: a claim where there is none"),
        }
    }
    assert!(keys[4].fill(&claims[4].0, "[4]").await, "{}: a claim of many stands like one of its own", keys[4]);
    assert!(keys[5].release(&claims[5].0).await, "{}: a claim of many is released like one of its own", keys[5]);
    assert!(!keys[500].release(&claims[500].0).await, "{}: a claim that was Busy isn't ours", keys[500]);
    assert!(keys[500].fill(&other, "[5]").await, "{}: another's claim must stand", keys[500]);
    let twice = [TestedKey::new(store, &keys[5].name), TestedKey::new(store, &keys[5].name)];
    let claims = claimed(&twice, Terms::fill(LONG)).await;
    let granted = claims.iter().filter(|(_, claim)| *claim == Claim::Granted).count();
    assert_eq!(granted, 1, "{}: two claims of one key in one call", keys[5]);
    let refresh = claimed(&keys[3..4], Terms::refresh(LONG)).await;
    assert_eq!(refresh[0].1, Claim::Granted, "{}: a refresh of a value", keys[3]);
    keys[3].holds(Some("[3]"), "during a refresh of many").await;
    remove(&keys).await;
}

/// Checks that each of many fills is stored or refused by itself, with its own life.
pub async fn fills_each_of_many(store: &dyn CacheStore, prefix: &str) {
    assert!(store.fill_many(Vec::new()).await.is_empty(), "no fills have no answers");
    let keys = keys(store, prefix, MANY);
    let mut tokens: Vec<Token> = claimed(&keys, Terms::fill(LONG)).await.into_iter().map(|(token, _)| token).collect();
    keys[1].remove().await;
    tokens[2] = token();
    let stored = filled(&keys, &tokens, |at| if at == 3 { (LONG / 4).into() } else { LONG.into() }).await;
    for (at, (key, stored)) in keys.iter().zip(&stored).enumerate() {
        assert_eq!(*stored, !(1..=2).contains(&at), "{key}: whether a fill of many is stored");
    }
    keys[1].holds(None, "after a fill from before its removal").await;
    keys[2].holds(None, "after a fill with another token").await;
    let values = got(&keys).await;
    assert!(values.iter().enumerate().skip(3).all(|(at, found)| *found == Some(value(at))), "each has its own value");
    let left = keys[3].ttl().await;
    assert!(left.is_some_and(|left| left <= LONG / 4), "{}: each has its own life, but {left:?} is left", keys[3]);
    let again = filled(&keys, &tokens, |_| LONG.into()).await;
    assert!(again.iter().all(|stored| !stored), "a second fill under the same claims must be refused");
    remove(&keys).await;

    let (none, one) = (keys[0].granted(LONG).await, keys[1].granted(LONG).await);
    let fill = |at: usize, token, value| ToFill { key: &keys[at].name, token, value, life: LONG.into() };
    let answers = store.fill_many(vec![fill(0, &none, "".into()), fill(1, &one, "[1]".into())]).await;
    let expected = matches!(&answers[..], [Err(StoreError::EmptyValue), Ok(true)]);
    assert!(expected, "{}: an empty value among others: {answers:?}", keys[0]);
    remove(&keys[..2]).await;
}

/// Checks that fills of many with tags are registered first, and refused by an invalidation.
pub async fn fills_many_with_tags(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, 6);
    let tags: Vec<Tag> = ["a", "b"].map(|name| format!("{prefix}{name}").into()).into();
    let mut stored = Vec::new();
    for _ in 0..TRIES {
        if stored.starts_with(&[true, true]) {
            break;
        }
        remove(&keys).await;
        let tokens: Vec<Token> = claimed(&keys, Terms::fill(LONG)).await.into_iter().map(|(token, _)| token).collect();
        let since = keys[0].now().await;
        keys[0].invalidate(&[&tags[1]]).await;
        // Two with the first tag, two with the second, two without.
        let life = |at: usize| match tags.get(at / 2) {
            Some(tag) => tagged(&[tag], since),
            None => LONG.into(),
        };
        stored = filled(&keys, &tokens, life).await;
    }
    assert_eq!(stored, [true, true, false, false, true, true], "fills whose second tag was invalidated meanwhile");
    let removed = keys[0].invalidate(&[&tags[0]]).await;
    assert_eq!(removed, 2, "an invalidation of a tag finds each entry of a fill of many");
    assert_eq!(got(&keys).await, [None, None, None, None, Some(value(4)), Some(value(5))]);
    remove(&keys).await;
}

/// Checks that claims of many have a time that no earlier invalidation refuses, and that of many
/// fills with tags only the one is refused whose tag was invalidated after its claim.
pub async fn refuses_one_of_many_fills_with_tags(store: &dyn CacheStore, prefix: &str) {
    const REFUSED: usize = 7;
    let keys = keys(store, prefix, MANY);
    let [of_all, of_one]: [Tag; 2] = ["all", "one"].map(|name| format!("{prefix}{name}").into());
    keys[0].invalidate(&[&of_all]).await;
    let mut stored = Vec::new();
    for _ in 0..TRIES {
        if stored.iter().filter(|stored| **stored).count() + 1 == MANY {
            break;
        }
        remove(&keys).await;
        let before = keys[0].now().await;
        let tokens: Vec<Token> = keys.iter().map(|_| token()).collect();
        let claims =
            keys.iter().zip(&tokens).map(|(key, token)| ToClaim { key: &key.name, token, terms: Terms::fill(LONG) });
        let answers = store.claim_many_at(&claims.collect::<Vec<_>>()).await;
        assert_eq!(answers.len(), MANY, "claim_many_at must answer for each key");
        let mut times = Vec::new();
        for (key, answer) in keys.iter().zip(answers) {
            let (claim, since) = key.must("claim_many_at", answer);
            assert_eq!(claim, Claim::Granted, "{key}: a claim of a key without a value");
            assert!(since >= before, "{key}: a claim's time must not be earlier than the time before it");
            times.push(since);
        }
        keys[0].invalidate(&[&of_one]).await;
        let life = |at: usize| {
            let both = [&of_all, &of_one];
            tagged(if at == REFUSED { &both } else { &both[..1] }, times[at])
        };
        stored = filled(&keys, &tokens, life).await;
        assert!(!stored[REFUSED], "{}: a fill whose tag was invalidated after its claim", keys[REFUSED]);
    }
    for (at, (key, stored)) in keys.iter().zip(&stored).enumerate() {
        assert_eq!(*stored, at != REFUSED, "{key}: whether a fill of many with tags is stored");
    }
    let expect: Vec<_> = (0..MANY).map(|at| (at != REFUSED).then(|| value(at))).collect();
    assert_eq!(got(&keys).await, expect, "the values after a fill of many with tags");
    keys[REFUSED].granted(LONG).await;
    let removed = keys[0].invalidate(&[&of_all]).await;
    assert_eq!(removed, MANY as u64 - 1, "an invalidation of a tag finds each entry of a fill of many");
    remove(&keys).await;
}

/// Checks that each tag is invalidated as if alone: with an entry, with a fill in flight, unused.
pub async fn invalidates_each_of_many_tags(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, MANY);
    let tags: Vec<Tag> = keys.iter().map(|key| key.name.as_str().into()).collect();
    let life = |at: usize, since| tagged(&[&tags[at]], since);
    let with_entry: Vec<usize> = (0..MANY).step_by(7).collect();
    let in_flight: Vec<usize> = (1..MANY).step_by(7).collect();
    let mut expected = vec![0; MANY];
    for at in with_entry {
        let (since, claim) = (keys[at].now().await, keys[at].granted(LONG).await);
        // Another test's invalidation may refuse it.
        let stored = keys[at].fill_with(&claim, value(at), life(at, since)).await;
        expected[at] = u64::from(stored);
    }
    let since = keys[0].now().await;
    let flying: Vec<TestedKey<'_>> = in_flight.iter().map(|at| TestedKey::new(store, &keys[*at].name)).collect();
    let claims = claimed(&flying, Terms::fill(LONG)).await;
    let removed = keys[0].must("invalidate_each", store.invalidate_each(&tags).await);
    assert_eq!(removed, expected, "how many values an invalidation of each of {MANY} tags removed");
    assert!(got(&keys).await.iter().all(Option::is_none), "what is left after an invalidation of all tags");
    for ((at, key), (claim, _)) in in_flight.into_iter().zip(&flying).zip(claims) {
        let stored = key.fill_with(&claim, value(at), life(at, since)).await;
        assert!(!stored, "{key}: a fill from before an invalidation of each of many tags must be refused");
    }
    let none = keys[0].must("invalidate_each", store.invalidate_each(&[]).await);
    assert!(none.is_empty(), "no tags have no entries");
    let bad = store.invalidate_each(&[tags[0].clone(), Tag::new("")]).await;
    assert!(matches!(bad, Err(StoreError::Tag(_))), "a bad tag among others: {bad:?}");
    remove(&keys).await;
}

/// Checks that claims and fills of many keep a copy of each value that is to have one.
pub async fn keeps_copies_of_many(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, 4);
    let life = |at: usize| if at.is_multiple_of(2) { Life { stale: LONG, ..LONG.into() } } else { LONG.into() };
    let claims: Vec<Token> = keys.iter().map(|_| token()).collect();
    let all = keys.iter().zip(&claims).enumerate();
    let all = all.map(|(at, (key, token))| ToClaim {
        key: &key.name,
        token,
        terms: Terms::fill(LONG).copy(life(at).has_copy()),
    });
    for answer in store.claim_many(&all.collect::<Vec<_>>()).await {
        assert_eq!(keys[0].must("claim_many", answer), Claim::Granted);
    }
    filled(&keys, &claims, life).await;
    for (at, key) in keys.iter().enumerate() {
        let copy = key.stale().await.map(|found| found.value);
        assert_eq!(copy, at.is_multiple_of(2).then(|| value(at)), "{key}: the copy of a fill of many");
    }
    remove(&keys).await;
    assert_eq!(keys[0].stale().await, None, "{}: a removal takes the copy too", keys[0]);
}

/// Checks that each key is granted to one of several batches that claim at once.
pub async fn grants_each_key_to_one_of_many_batches(store: &dyn CacheStore, prefix: &str) {
    for round in 0..5 {
        let keys = keys(store, &format!("{prefix}{round}:"), 40);
        let batches = join_all((0..16).map(|_| claimed(&keys, Terms::fill(LONG)))).await;
        for (at, key) in keys.iter().enumerate() {
            let granted = batches.iter().filter(|batch| batch[at].1 == Claim::Granted).count();
            assert_eq!(granted, 1, "{key}: to how many of 16 batches at once it was granted");
        }
        remove(&keys).await;
    }
}

/// Checks with random order that batches never hit a value from before an invalidation.
pub async fn never_hits_what_was_invalidated_in_batches(store: &dyn CacheStore, prefix: &str) {
    let all = keys(store, prefix, 6);
    let rows: Vec<Row> = all.iter().map(|_| Row::default()).collect();
    let done = AtomicBool::new(false);

    let writer = async {
        for version in 1..=60 {
            for (key, row) in all.iter().zip(&rows) {
                row.write(version, key.remove()).await;
            }
        }
        done.store(true, Ordering::SeqCst);
    };
    let readers = (0..4).map(|_| async {
        while !done.load(Ordering::SeqCst) {
            let oldest: Vec<u64> = rows.iter().map(Row::oldest).collect();
            for ((key, found), oldest) in all.iter().zip(got(&all).await).zip(oldest) {
                if let Some(hit) = found {
                    key.is_fresh(&hit, oldest);
                }
            }
            let claims = claimed(&all, Terms::fill(LONG)).await;
            pause().await;
            let granted = claims.iter().zip(&all).zip(&rows).filter(|(((_, claim), _), _)| *claim == Claim::Granted);
            let fills: Vec<ToFill<'_>> = granted
                .map(|(((token, _), key), row)| ToFill { key: &key.name, token, value: row.value(), life: LONG.into() })
                .collect();
            pause().await;
            for answer in store.fill_many(fills).await {
                all[0].must("fill_many", answer);
            }
            pause().await;
        }
    });
    join(writer, join_all(readers)).await;
    remove(&all).await;
}
