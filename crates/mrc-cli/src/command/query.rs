//! `mrc query`: runs a query, through the cache or without it. `--each`: for several values.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mrc::store::lock;
use mrc::{Answer, Event, Many, MemoryStore, MrcClient, Query, Source};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{Global, ManyArgs, QueryArgs};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;
use crate::value::Each;

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
    if let ManyArgs { each: Some(values), batch: Some(batch), .. } = &args.many {
        return each(&client, args, values, batch, &told, output).await;
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

async fn each(
    client: &MrcClient,
    args: &QueryArgs,
    each: &Each,
    batch: &str,
    told: &Told,
    output: &Output,
) -> Result<(), Failure> {
    let batch = Query::new(batch.to_owned());
    let batch = if args.trust_read_only { batch.trust_read_only() } else { batch };
    let many = Many::new(args.query(), args.many.column.clone(), each.name.clone());
    let many = many.batch(batch).params_before(args.keyed.params());
    let began = Instant::now();
    let asked = client.query_many_with_cache(&many, each.values.iter().cloned(), args.ttl).await;
    let ms = began.elapsed().as_secs_f64() * 1e3;
    connect::close(client).await;
    let answers = asked?;

    if output.is_json() {
        let answers = each.values.iter().zip(&answers).map(|(value, answer)| {
            let params = args.keyed.params().with(each.name.clone(), value.clone());
            let key = client.key(args.query(), params)?.into_string();
            Ok::<_, Failure>(OfValue { source: answer.source().name(), key, value: answer.json()? })
        });
        let (answers, ms) = (answers.collect::<Result<_, _>>()?, (ms * 1e3).round() / 1e3);
        return output.document(&Document { ms, bypass: told.bypassed(), answers });
    }
    let hits = answers.iter().filter(|answer| answer.is_hit()).count();
    output.note(&format!("{hits} of {} hit, in {ms:.1} ms", answers.len()));
    told.show(output);
    answers.iter().try_for_each(|answer| output.result(answer.as_bytes()))
}

#[derive(Serialize)]
struct Document<'a> {
    ms: f64,
    /// Why an answer bypassed the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    bypass: Option<String>,
    /// In the order of the values.
    answers: Vec<OfValue<'a>>,
}

#[derive(Serialize)]
struct OfValue<'a> {
    source: &'static str,
    key: String,
    /// The value as the cache stores it, byte for byte.
    value: &'a RawValue,
}

/// The decisions of a client about a query, from its events.
#[derive(Default)]
struct Told(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    bypassed: Option<String>,
    notes: BTreeSet<String>,
}

impl Told {
    fn listener(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let heard = Arc::clone(&self.0);
        move |event: &Event<'_>| {
            let mut heard = lock(&heard);
            match event {
                Event::Bypassed { why, .. } => heard.bypassed = Some(why.to_string()),
                Event::Refused { .. } => {
                    heard.notes.insert("the answer was not stored: its entry was invalidated meanwhile".into());
                }
                Event::NotFollowed { why, .. } => {
                    let note = "the entry ends by its TTL alone, since no row tells that it changed";
                    heard.notes.insert(format!("{note}: {why}"));
                }
                Event::FollowerAway { name, .. } => {
                    let fix = "start `mrc follow` with auto = true";
                    heard.notes.insert(format!("no follower `{name}` keeps up, so the entry has a short TTL: {fix}"));
                }
                _ => {}
            }
        }
    }

    fn bypassed(&self) -> Option<String> {
        lock(&self.0).bypassed.clone()
    }

    fn show(&self, output: &Output) {
        let heard = lock(&self.0);
        if let Some(why) = &heard.bypassed {
            output.note(&format!("note: the cache was bypassed, and nothing is stored: {why}"));
        }
        for note in &heard.notes {
            output.note(&format!("note: {note}"));
        }
    }
}
