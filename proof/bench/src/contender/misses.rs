//! Measures a miss: the time until the answer is returned and stored.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use fred::clients::{Client, WithOptions};
use fred::interfaces::KeysInterface;
use fred::types::Expiration;
use mrc::{MrcClient, Query, params};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, Row, Value};

use crate::Res;
use crate::data::{ID, TAGS, TTL};

/// Calls through the cache. Returns the seconds that each call took.
pub(super) async fn mrc(client: MrcClient, query: &str, tagged: bool, ids: Range<u32>) -> Res<Vec<f64>> {
    let tags = if tagged { &TAGS[..] } else { &[] };
    let mut latencies = Vec::new();
    for id in ids {
        let began = Instant::now();
        let query = tags.iter().fold(Query::new(query), |query, &tag| query.tag(tag));
        let answer = client.query_with_cache(query, params! { ID => id }, TTL).await?;
        latencies.push(began.elapsed().as_secs_f64());
        if answer.is_hit() || answer.as_bytes().len() < 10 {
            return Err(format!("order {id} was no miss").into());
        }
    }
    Ok(latencies)
}

/// Does GET, SELECT, SET by hand. Without a claim, two callers do the work twice.
pub(super) async fn bare(redis: WithOptions<Client>, pool: Pool, query: &str, ids: Range<u32>) -> Res<Vec<f64>> {
    let mut latencies = Vec::new();
    for id in ids {
        let began = Instant::now();
        let key = format!("OrderId={id}_{query}");
        let cached: Option<Bytes> = redis.get(&key).await?;
        if cached.is_some() {
            return Err(format!("order {id} was no miss").into());
        }
        let rows: Vec<Row> = pool.get_conn().await?.exec(query, (id,)).await?;
        let document: serde_json::Value = rows.iter().map(object).collect();
        let expire = Expiration::EX(i64::try_from(TTL.as_secs())?);
        redis.set::<(), _, _>(&key, serde_json::to_vec(&document)?.as_slice(), Some(expire), None, false).await?;
        latencies.push(began.elapsed().as_secs_f64());
    }
    Ok(latencies)
}

/// Encodes a row as hand-written code would.
pub(super) fn object(row: &Row) -> serde_json::Value {
    let columns = row.columns_ref().iter().enumerate();
    columns.map(|(at, column)| (column.name_str().into_owned(), value(row.as_ref(at)))).collect()
}

fn value(value: Option<&Value>) -> serde_json::Value {
    match value {
        Some(Value::Int(int)) => (*int).into(),
        Some(Value::UInt(int)) => (*int).into(),
        Some(Value::Float(float)) => (*float).into(),
        Some(Value::Double(double)) => (*double).into(),
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into(),
        Some(Value::Date(y, m, d, h, min, s, _)) => format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}").into(),
        Some(Value::Time(..) | Value::NULL) | None => serde_json::Value::Null,
    }
}
