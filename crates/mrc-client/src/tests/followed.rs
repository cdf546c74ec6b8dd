//! Entries that a follower keeps right: their tags, and what a call asks for them.

use super::*;

impl Database {
    /// Answers a question about the session or the tables. Returns `None` for any other query.
    pub(super) fn catalogue(
        &self,
        sql: &str,
        params: &Params,
        rows: &mut RowEncoder,
    ) -> Option<Result<(), ExecuteError>> {
        let texts = |rows: &mut RowEncoder, names: &[&str], values: &[&str]| {
            let columns: Vec<_> = names.iter().map(|name| Column::new(*name, ColumnKind::Text)).collect();
            answer(rows, &columns, values.iter().map(|value| Cell::Text(value)))
        };
        let name = params.iter().nth(1).map(|param| param.value.clone());
        Some(if sql.contains("DATABASE()") {
            texts(rows, &["name"], &["shop"])
        } else if sql.starts_with("SHOW SESSION VARIABLES") {
            texts(rows, &["Variable_name", "Value"], &["sql_mode", *self.modes.lock().unwrap()])
        } else if sql.contains("information_schema.TABLES") {
            let listed = match name {
                Some(name) if name == "hidden".into() => &[][..],
                Some(name) if name == "v".into() => &["VIEW", ""],
                _ => &["BASE TABLE", *self.engine.lock().unwrap()],
            };
            texts(rows, &["kind", "engine"], listed)
        } else if sql.contains("information_schema.VIEWS") {
            texts(rows, &["text"], &[*self.view.lock().unwrap()])
        } else {
            return None;
        })
    }
}

fn shopping() -> Fixture {
    Fixture::with(Database::open(), Spy::new(), |builder| builder.follow("shop"))
}

impl Fixture {
    /// Writes a position, as a follower does each second.
    async fn follow(&self) {
        let (owner, to) = (Token::from_bits(1), Reached { by_schemes: true, ..Reached::at("a:1") });
        self.store.memory.lease("shop", &owner, HOUR).await.unwrap();
        let from = self.store.memory.checkpoint("shop").await.unwrap().map(|found| found.position);
        self.store.memory.advance("shop", &owner, from.as_deref(), to).await.unwrap();
    }

    async fn version_of(&self, sql: &str) -> u64 {
        version(&self.client.query_with_cache(sql, params! { "Id" => 1 }, HOUR).await.unwrap())
    }

    async fn tags(&self, sql: &str) -> Vec<String> {
        let key = self.client.key(sql, params! { "Id" => 1 }).unwrap();
        let tags = self.store.memory.look(key.as_str()).await.unwrap().unwrap().tags.unwrap();
        tags.iter().map(|(tag, _)| tag.to_string()).collect()
    }

    async fn end(&self, tag: &str) -> u64 {
        self.store.memory.invalidate(&[Tag::new(tag)]).await.unwrap()
    }

    fn heard(&self, event: &str) -> usize {
        self.events.lock().unwrap().iter().filter(|heard| *heard == event).count()
    }
}

#[tokio::test]
async fn an_entry_has_tags_of_the_rows_that_it_depends_on() {
    let it = shopping();
    it.version_of(SQL).await;
    assert_eq!(it.tags(SQL).await, ["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
    assert_eq!(it.end("t:shop.t?id=2").await, 0);
    assert_eq!(it.end("t:shop.t?id=1").await, 1);
    it.database.write(2);
    assert_eq!(it.version_of(SQL).await, 2);
}

#[tokio::test]
async fn a_scheme_is_registered_before_the_claim_and_not_at_each_call() {
    let it = shopping();
    it.version_of(SQL).await;
    assert_eq!(it.store.calls(), ["get", "now", "register", "claim", "now", "fill"]);
    let before = it.store.calls().len();
    it.version_of(SQL).await;
    assert_eq!(it.store.calls()[before..], ["get"], "a hit is one GET");
    it.end("t:shop.t?id=1").await;
    it.version_of(SQL).await;
    assert_eq!(it.store.calls()[before + 1..], ["get", "claim", "now", "fill"], "a miss asks for no more than tags do");
}

#[tokio::test(start_paused = true)]
async fn entries_live_shortly_while_no_follower_runs() {
    let it = shopping();
    let ttl = async || {
        it.version_of(SQL).await;
        let key = it.client.key(SQL, params! { "Id" => 1 }).unwrap();
        let ttl = it.store.memory.ttl(key.as_str()).await.unwrap().unwrap().as_secs();
        it.end("t:shop.t?id=1").await;
        ttl
    };
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 1));
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 1), "one event for each time that it goes");
    it.follow().await;
    advance(Duration::from_secs(2)).await;
    assert!(ttl().await > 3000);
    advance(Duration::from_secs(11)).await;
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 2));
}

/// A view brings its tables. A name that is no table has tags, unless it is a view's. A CTE has
/// none.
#[tokio::test]
async fn an_entry_has_tags_of_its_tables_and_of_those_behind_its_views() {
    const OF_V: &str = "SELECT version FROM v WHERE id = ?";
    let hidden = "select `shop`.`hidden`.`version` AS `version` from `shop`.`hidden`";
    let cte = "with `hidden` as (select `shop`.`t`.`version` AS `version` from `shop`.`t`) \
               select `hidden`.`version` AS `version` from `hidden`";
    let none: &[&str] = &[];
    let of_t: &[&str] = &["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"];
    let of_v: &[&str] = &["t:shop.t", "t:shop.t?", "t:shop.v", "t:shop.v?id:int", "t:shop.v?id=1"];
    let of_hidden: &[&str] = &["t:shop.hidden", "t:shop.hidden?id:int", "t:shop.hidden?id=1"];
    let with_cte = "WITH hidden AS (SELECT version FROM t WHERE id = ?) SELECT version FROM hidden";
    for (view, sql, tags) in [
        (None, OF_V, of_v),
        (Some(cte), OF_V, of_v),
        (Some(hidden), OF_V, none),
        (None, "SELECT version FROM hidden WHERE id = ?", of_hidden),
        (None, with_cte, of_t),
    ] {
        let it = shopping();
        view.into_iter().for_each(|view| *it.database.view.lock().unwrap() = view);
        it.version_of(sql).await;
        assert_eq!(it.tags(sql).await, tags, "{view:?} {sql}");
        assert_eq!(it.heard("NotFollowed") == 1, tags.is_empty(), "{view:?} {sql}");
    }
}

#[tokio::test]
async fn a_view_that_changes_meanwhile_refuses_the_fill_once() {
    let it = shopping();
    let sql = "SELECT version FROM v WHERE id = ?";
    it.version_of(sql).await;
    // A follower that sees the statement ends the table's tag.
    *it.database.view.lock().unwrap() = "select `shop`.`u`.`version` AS `version` from `shop`.`u`";
    assert_eq!(it.end("t:shop.v").await, 1);
    it.version_of(sql).await;
    assert_eq!(it.heard("Refused"), 1, "the tables that are known are older than the change");
    it.version_of(sql).await;
    assert!(it.tags(sql).await.contains(&"t:shop.u".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_followed_is_told_once_and_ends_by_its_ttl() {
    let it = shopping();
    *it.database.engine.lock().unwrap() = "FEDERATED";
    for _ in 0..2 {
        it.version_of(SQL).await;
        let key = it.client.key(SQL, params! { "Id" => 1 }).unwrap();
        it.store.memory.remove(&[key.into_string().into()]).await.unwrap();
    }
    assert_eq!(it.heard("NotFollowed"), 1);
    it.version_of(SQL).await;
    assert!(it.tags(SQL).await.is_empty());

    let it = shopping();
    *it.database.modes.lock().unwrap() = "ANSI_QUOTES,STRICT_TRANS_TABLES";
    it.version_of(SQL).await;
    assert_eq!((it.heard("NotFollowed"), it.tags(SQL).await.len()), (1, 0), "a text means something else");
}

#[tokio::test]
async fn the_follower_knows_the_tables_before_the_database_is_asked_for_them() {
    let it = shopping();
    *it.database.engine.lock().unwrap() = "FEDERATED";
    it.version_of(SQL).await;
    let registry = it.store.memory.as_schemes().unwrap().registry(None).await.unwrap().unwrap();
    assert_eq!(registry.schemes.iter().map(|scheme| &*scheme.text).collect::<Vec<_>>(), ["t:shop.t?id:int"]);
}

#[tokio::test]
async fn a_function_inherits_what_its_queries_depend_on() {
    let it = shopping();
    let report = || async { Ok::<_, Error>(it.version_of(SQL).await) };
    let run = async || {
        it.client.with_cache(report, Query::new("report"), Params::new(), HOUR).await.unwrap();
        let key = it.client.key("report", Params::new()).unwrap();
        let found = it.store.memory.look(key.as_str()).await.unwrap();
        found.map(|found| found.tags.unwrap().iter().map(|(tag, _)| tag.to_string()).collect::<Vec<_>>())
    };
    // The function claims its key before its query is known: the scheme is younger than the claim.
    assert_eq!(run().await, None);
    assert_eq!(run().await.unwrap(), ["Id=1", "t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
}

#[tokio::test]
async fn without_its_registration_nothing_is_stored() {
    let it = shopping();
    *it.store.failing.lock().unwrap() = Some("register");
    assert_eq!(it.version_of(SQL).await, 1);
    assert_eq!(it.version_of(SQL).await, 1);
    assert_eq!(it.database.queries(), 2);
}

#[tokio::test]
async fn a_written_entry_has_the_tags_too() {
    let it = shopping();
    assert!(it.client.write_to_cache(SQL, &[1], params! { "Id" => 1 }, HOUR).await.unwrap());
    assert_eq!(it.tags(SQL).await, ["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
    assert!(it.client.write_to_cache("a signature", &[1], Params::new(), HOUR).await.unwrap());
    assert_eq!(it.heard("NotFollowed"), 0);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let check = |builder: MrcClientBuilder, expected: &str| {
        let error = builder.shared_store(Spy::new()).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(MrcClient::builder().follow("shop"), "`.mysql(…)`");
    let shop = || MrcClient::builder().shared_executor(Database::open());
    check(shop().follow(""), "name");
    check(shop().follow("shop").follow_ttl(Duration::ZERO), "follow_ttl");
}
