//! The registry is read after readers see a change, and before it is invalidated.

use std::sync::Arc;

use mrc_core::Params;
use mrc_follow::rules::Rules;
use mrc_follow::{FollowerBuilder, Lack};
use mrc_tests::{Database, unique};

use super::super::visibility::hold_an_update;
use super::super::{Following, LONG, orders, store};
use super::Auto;

const STATE: &str = "SELECT state FROM orders WHERE id = 1";

#[tokio::test]
async fn a_scheme_that_is_registered_while_readers_see_the_old_row_is_ended() {
    let database = Database::logged_alone().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20))").await;
    database.execute("CREATE TABLE marks (mark VARCHAR(64)); INSERT INTO orders VALUES (1, 6, 'old')").await;
    let database = Arc::new(database);
    let open = async |lack: Option<Lack>| {
        let set = |builder: FollowerBuilder| lack.into_iter().fold(builder, FollowerBuilder::without);
        Auto::on(Arc::clone(&database), store().await, Vec::new(), set).await
    };
    let rules = Rules::new([orders(&database)]).unwrap();
    let url = database.url();
    let hastes = Following::over(&url, store().await, |builder| {
        builder.name(unique("follower")).rules(rules).without(Lack::Visibility)
    });
    let (right, wrong, hastes) = tokio::join!(open(None), open(Some(Lack::Schemes)), hastes);
    hastes.fill("in time", &["order:1"]).await;

    let write = hold_an_update(&database, &hastes).await;
    for auto in [&right, &wrong] {
        let mut answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        while !answer.is_hit() {
            answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        }
        assert_eq!(answer.as_str().unwrap(), r#"[{"state":"old"}]"#, "readers must not see the commit yet");
    }
    database.hold_commits(None).await;
    write.await.unwrap().unwrap();

    for (auto, expect) in [(&right, "new"), (&wrong, "old")] {
        auto.following.caught_up(&database).await;
        let answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        assert_eq!(answer.as_str().unwrap(), format!(r#"[{{"state":"{expect}"}}]"#));
    }
}

#[tokio::test]
async fn a_change_right_behind_the_first_read_is_noticed() {
    let auto = Auto::open("CREATE TABLE orders (id INT PRIMARY KEY, n INT); INSERT INTO orders VALUES (1, 0)", vec![]);
    let auto = auto.await;
    for round in 1..20 {
        // Each text is a new entry, and every other one a new scheme.
        let sql = format!("SELECT n, {round} AS round FROM orders WHERE {} = 1", ["id", "n + id - n"][round % 2]);
        while !auto.client.query_with_cache(&*sql, Params::new(), LONG).await.unwrap().is_hit() {}
        auto.database.execute(&format!("UPDATE orders SET n = {round}")).await;
        auto.following.caught_up(&auto.database).await;
        let answer = auto.client.query_with_cache(&*sql, Params::new(), LONG).await.unwrap();
        assert_eq!(answer.as_str().unwrap(), format!(r#"[{{"n":{round},"round":{round}}}]"#));
    }
    assert_eq!((auto.following.follower.status().schemes, auto.following.follower.status().tables), (2, 1));
}
