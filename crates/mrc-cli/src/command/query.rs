//! `mrc query`: runs a query, through the cache or without it.

use std::time::Instant;

use mrc::{Answer, MemoryStore, MrcClient, Source};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{Global, ManyArgs, QueryArgs};
use crate::command::each;
use crate::command::told::Told;
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) async fn run(args: &QueryArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let told = Told::default();
    let builder = connect::builder()?
        .executor(connect::mysql(global)?)
        .key_format(args.keyed.format.into())
        .row_format(args.rows.into())
        .on_event(told.listener());
    // `--no-cache` needs no Redis.
    let builder =
        if args.no_cache { builder.store(MemoryStore::new()) } else { builder.store(connect::redis(global)?) };
    let builder = match &args.follow {
        Some(name) if !args.no_cache => builder.follow(name),
        _ => builder,
    };
    let client = builder.build()?;
    if let ManyArgs { each: Some(each), batch: Some(batch), column } = &args.many {
        let many = each::many(args, each, batch, column);
        return each::run(&client, &many, args, each, &told, output).await;
    }

    let began = Instant::now();
    let asked = ask(&client, args).await;
    let ms = began.elapsed().as_secs_f64() * 1e3;
    connect::close(&client).await;
    let answer = asked?;

    let bypassed = told.bypassed();
    let source = match answer.source() {
        Source::Cache => "hit",
        Source::Followed => "followed",
        _ if args.no_cache => "uncached",
        _ if bypassed.is_some() => "bypass",
        _ => "miss",
    };
    if output.is_json() {
        let key = if args.no_cache { None } else { Some(client.key(args.query(), args.keyed.params())?.into_string()) };
        let value = answer.json::<&RawValue>()?;
        let ms = (ms * 1e3).round() / 1e3;
        return output.document(&Answered { source, ms, key, bypass: bypassed, value });
    }
    output.note(&format!("{source} in {ms:.1} ms"));
    told.show(output);
    output.result(answer.as_bytes())
}

#[derive(Serialize)]
struct Answered<'a> {
    source: &'static str,
    ms: f64,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bypass: Option<String>,
    /// The value as the cache stores it, byte for byte.
    value: &'a RawValue,
}

async fn ask(client: &MrcClient, args: &QueryArgs) -> Result<Answer, mrc::Error> {
    let params = args.keyed.params();
    if args.no_cache {
        client.query(&args.sql, params).await
    } else {
        client.query_with_cache(args.query(), params, args.ttl).await
    }
}
