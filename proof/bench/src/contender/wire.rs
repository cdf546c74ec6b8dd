//! Measures an answer from the database's wire to bytes: the time, and the memory beyond it.

use std::time::Instant;

use mrc::params;
use mysql_async::Row;
use mysql_async::prelude::Queryable;
use serde_json::{Value, json};

use super::Connections;
use crate::args::Way;
use crate::data::{STORE, query as orders};
use crate::{Res, cpu};

/// Runs the query once. The process must not have done anything big before.
pub(super) async fn measure(way: Way, connections: &mut Connections, query: &str) -> Res<Value> {
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
        let document: Value = rows.iter().map(super::misses::object).collect();
        return Ok(serde_json::to_vec(&document)?.len());
    }
    let answer = connections.mrc()?.query(query, params! { "StoreId" => STORE }).await?;
    Ok(answer.as_bytes().len())
}
