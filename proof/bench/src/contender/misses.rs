//! Measures a miss, and an answer from the database's wire.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use fred::clients::{Client, WithOptions};
use fred::interfaces::KeysInterface;
use fred::types::Expiration;
use mrc::{MrcClient, Query, params};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, Row, Value};
use serde_json::{Value as Json, json};

use super::Connections;
use crate::args::Way;
use crate::data::{ID, STORE, TAGS, TTL, query as orders};
use crate::{Res, cpu};

/// Calls through the cache. Returns the seconds until each answer is returned and stored.
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
        let document: Json = rows.iter().map(object).collect();
        let expire = Expiration::EX(i64::try_from(TTL.as_secs())?);
        redis.set::<(), _, _>(&key, serde_json::to_vec(&document)?.as_slice(), Some(expire), None, false).await?;
        latencies.push(began.elapsed().as_secs_f64());
    }
    Ok(latencies)
}

/// Encodes a row as hand-written code would.
fn object(row: &Row) -> Json {
    let columns = row.columns_ref().iter().enumerate();
    columns.map(|(at, column)| (column.name_str().into_owned(), value(row.as_ref(at)))).collect()
}

fn value(value: Option<&Value>) -> Json {
    match value {
        Some(Value::Int(int)) => (*int).into(),
        Some(Value::UInt(int)) => (*int).into(),
        Some(Value::Float(float)) => (*float).into(),
        Some(Value::Double(double)) => (*double).into(),
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into(),
        Some(Value::Date(y, m, d, h, min, s, _)) => format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}").into(),
        Some(Value::Time(..) | Value::NULL) | None => Json::Null,
    }
}

/// Runs the query once, in a process that hasn't done anything big before: from the wire to bytes.
pub(super) async fn measure_wire(way: Way, connections: &mut Connections, query: &str) -> Res<Json> {
    // The small query connects, and brings every buffer to its usual size.
    answer(way, connections, &orders(10)).await?;
    cpu::forget_peak()?;
    let before = cpu::resident()?;
    let began = Instant::now();
    let bytes = answer(way, connections, query).await?;
    let wall = began.elapsed().as_secs_f64();
    let growth = cpu::peak()?.saturating_sub(before);
    Ok(json!({ "bytes": bytes, "growth": growth, "wall": wall }))
}

async fn answer(way: Way, connections: &mut Connections, query: &str) -> Res<usize> {
    if way == Way::Fred {
        let rows: Vec<Row> = connections.pool()?.get_conn().await?.exec(query, (STORE,)).await?;
        let document: Json = rows.iter().map(object).collect();
        return Ok(serde_json::to_vec(&document)?.len());
    }
    let answer = connections.mrc()?.query(query, params! { "StoreId" => STORE }).await?;
    Ok(answer.as_bytes().len())
}
