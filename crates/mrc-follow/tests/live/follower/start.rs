//! Where a follower begins.

use std::time::Duration;

use mrc_follow::Start;
use mrc_store::{CacheStore, Lease, Token};
use mrc_tests::Redis;

use super::{Following, Shop};

#[tokio::test]
async fn a_follower_that_began_now_goes_on_at_its_position_when_it_leads_again() {
    let mut shop = Shop::open("").await;
    shop.following.task.abort();
    let (url, store, name) = (shop.database.url(), shop.following.store.clone(), shop.name());
    let rules = shop.following.follower.rules().clone();
    let set = |builder: mrc_follow::FollowerBuilder| builder.name(&*name).rules(rules).start(Start::Now);
    shop.following = Following::over(&url, store.clone(), set).await;
    // Another follower takes the lease, and ends before it does anything.
    let (books, other) = (store.as_checkpoints().unwrap(), Token::from_bits(rand::random()));
    Redis::shared().await.cli(&["DEL", &format!("{}:l", shop.key().await)]).await;
    assert_eq!(books.lease(&name, &other, Duration::from_secs(5)).await.unwrap(), Lease::Ours);
    shop.following.until(|status| !status.leads).await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    books.end_lease(&name, &other).await.unwrap();
    shop.following.until(|status| status.leads).await;
    shop.expect("UPDATE while another had the lease", &["store 6", "order 1"]).await;
    assert_eq!(shop.following.follower.status().lost, 0);
}
