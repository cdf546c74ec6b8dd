//! `mrc query --each`: runs a query for several values of one param at once.

use std::time::Instant;

use mrc::key::Value;
use mrc::{Answer, Many, MrcClient, Params, Query};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::QueryArgs;
use crate::command::told::Told;
use crate::connect;
use crate::error::Failure;
use crate::output::Output;
use crate::value::Each;

/// Returns the query of each value, and the statement for several.
pub(super) fn many(args: &QueryArgs, each: &Each, batch: &str, column: &str) -> Many {
    let statement = Query::new(batch.to_owned());
    let statement = if args.trust_read_only { statement.trust_read_only() } else { statement };
    Many::new(args.query(), column.to_owned(), each.name.clone()).batch(statement).params_before(args.keyed.params())
}

pub(super) async fn run(
    client: &MrcClient,
    many: &Many,
    args: &QueryArgs,
    each: &Each,
    told: &Told,
    output: &Output,
) -> Result<(), Failure> {
    let began = Instant::now();
    let asked = client.query_many_with_cache(many, each.values.iter().cloned(), args.ttl).await;
    let ms = began.elapsed().as_secs_f64() * 1e3;
    connect::close(client).await;
    let answers = asked?;

    if output.is_json() {
        let of_value = |(value, answer): (&Value, &Answer)| {
            let key = client.key(args.query(), params(args, each, value))?.into_string();
            let value = RawValue::from_string(answer.as_str()?.to_owned())
                .map_err(|error| Failure::Other(error.to_string()))?;
            Ok::<_, Failure>(Answered { source: answer.source().name(), key, value })
        };
        let answers = each.values.iter().zip(&answers).map(of_value).collect::<Result<_, _>>()?;
        return output.document(&Document { ms: (ms * 1e3).round() / 1e3, bypass: told.bypassed(), answers });
    }
    let hits = answers.iter().filter(|answer| answer.is_hit()).count();
    output.note(&format!("{hits} of {} hit, in {ms:.1} ms", answers.len()));
    told.show(output);
    answers.iter().try_for_each(|answer| output.result(answer.as_bytes()))
}

fn params(args: &QueryArgs, each: &Each, value: &Value) -> Params {
    args.keyed.params().with(each.name.clone(), value.clone())
}

#[derive(Serialize)]
struct Document {
    ms: f64,
    /// Why an answer bypassed the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    bypass: Option<String>,
    /// In the order of the values.
    answers: Vec<Answered>,
}

#[derive(Serialize)]
struct Answered {
    source: &'static str,
    key: String,
    /// The value as the cache stores it, byte for byte.
    value: Box<RawValue>,
}
