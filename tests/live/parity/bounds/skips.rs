//! Arguments that don't identify a call. The original excludes them by name or position.

use mrc::{Bound, Cache, Spec, cached};

use crate::parity::support::*;

tests!(on_every_bound, f19_f20_f21_f22_left_out_arguments_do_not_matter, f23_left_out_arguments_with_a_private_cache,);

/// A value that can't be part of a key.
struct Session(u32);

#[derive(serde::Serialize)]
struct User {
    id: u32,
    seen: u32,
}

#[cached(cache = cache, skip(cache, session))]
async fn by_name(cache: &Cache, session: Session, id: u32, flag: bool) -> (u32, u32, bool) {
    (session.0, id, flag)
}

#[cached(cache = cache, key(id, flag))]
async fn by_what_counts(cache: &Cache, session: Session, id: u32, trace: &str, flag: bool) -> (u32, u32, bool) {
    let _ = trace;
    (session.0, id, flag)
}

#[cached(cache = cache, key(user.id, flag))]
async fn by_a_field(cache: &Cache, user: User, flag: bool) -> (u32, u32, bool) {
    (user.seen, user.id, flag)
}

async fn by_spec(cache: &Cache, session: Session, id: u32, flag: bool) -> (u32, u32, bool) {
    let spec = Spec::of("load").param("id", id).param("flag", flag);
    cache.get_or(spec, async || (session.0, id, flag)).await
}

/// The function returns its session, id and flag. The session shows which of the calls ran.
async fn check(what: &str, load: impl AsyncFn(u32, u32, bool) -> (u32, u32, bool)) {
    assert_eq!(load(1, 5, true).await, (1, 5, true), "{what}");
    assert_eq!(load(2, 5, true).await, (1, 5, true), "{what}: the session doesn't matter");
    assert_eq!(load(3, 6, true).await, (3, 6, true), "{what}: the id does");
    assert_eq!(load(4, 5, false).await, (4, 5, false), "{what}: the flag does");
    assert_eq!(load(5, 6, true).await, (3, 6, true), "{what}");
}

async fn f19_f20_f21_f22_left_out_arguments_do_not_matter(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(100));
    check("skip", async |session, id, flag| by_name(&cache, Session(session), id, flag).await).await;
    let traced =
        async |session: u32, id, flag| by_what_counts(&cache, Session(session), id, &session.to_string(), flag).await;
    check("key", traced).await;
    check("a field", async |seen, id, flag| by_a_field(&cache, User { id, seen }, flag).await).await;
    check("a spec", async |session, id, flag| by_spec(&cache, Session(session), id, flag).await).await;
    assert_eq!(cache.len().await.unwrap(), 4 * 3, "four functions, of three calls each");
}

struct Repository {
    cache: Cache,
    session: u32,
}

impl Repository {
    #[cached(cache = self.cache, skip(self))]
    async fn load(&self, id: u32, flag: bool) -> (u32, u32, bool) {
        (self.session, id, flag)
    }
}

async fn f23_left_out_arguments_with_a_private_cache(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(100));
    let load = async |session, id, flag| Repository { cache: cache.clone(), session }.load(id, flag).await;
    check("self", load).await;
}
