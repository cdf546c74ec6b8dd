//! Chooses the charts.

use super::bars::{Bar, Chart, Kind, Panel};
use super::targets::{count, hits, of};
use super::{number, thousands};
use crate::results::{Results, Series, Work, find};

pub(super) fn all(results: &Results) -> Vec<(&'static str, String)> {
    let mut all = vec![("hits.svg", hit(results)), ("rows.svg", rows(results)), ("drop.svg", drops(results))];
    all.extend(super::exact::picture(results).map(|picture| ("staleness.svg", picture)));
    all.extend(super::follow::picture(results).map(|picture| ("follow.svg", picture)));
    all
}

fn hit(results: &Results) -> String {
    let panels = [1, 100].into_iter().filter_map(|rows| {
        let hits = hits(results, rows, 64)?;
        let bar = |label: &str, kind: Kind, series: Option<&Series>| {
            let value = series?.median(Work::cpu_us);
            Some(Bar { label: label.into(), value, text: format!("{} µs", number(value)), kind })
        };
        let bars: Vec<Bar> = [
            bar("bare fred GET", Kind::Bare, of(hits, "fred", "multi")),
            bar("mrc, as bytes", Kind::Mrc, of(hits, "bytes", "multi")),
            bar("mrc, borrowed structs", Kind::Mrc, of(hits, "borrowed", "multi")),
            bar("mrc, structs", Kind::Mrc, of(hits, "typed", "multi")),
            bar("npm peer, objects", Kind::Other, find(&hits.series, "npm")),
            bar("PyPI peer, dicts", Kind::Other, find(&hits.series, "pypi")),
        ]
        .into_iter()
        .flatten()
        .collect();
        // PyPI's bar is so long that on its scale the others would look alike.
        let scale = bars.iter().rev().skip(1).map(|bar| bar.value).fold(0.0, f64::max) * 1.25;
        Some(Panel { title: format!("{}, {} bytes of JSON", count(rows), thousands(hits.bytes as f64)), bars, scale })
    });
    Chart {
        title: "CPU of a cache hit".into(),
        subtitle: "microseconds a call of the service's process, 64 callers at once, tokio with two workers; shorter is better".into(),
        panels: panels.collect(),
    }
    .svg()
}

fn rows(results: &Results) -> String {
    let whose = |name: &str| if name == "mrc" { Kind::Mrc } else { Kind::Bare };
    let label = |name: &str| if name == "mrc" { "mrc" } else { "through serde_json::Value" }.to_owned();
    let mut panels = Vec::new();
    let bars: Vec<Bar> = results
        .encoding
        .iter()
        .map(|series| {
            let value = series.median(Work::cpu_us) / 1e3;
            Bar { label: label(&series.name), value, text: format!("{} ms", number(value)), kind: whose(&series.name) }
        })
        .collect();
    panels.push(panel("CPU: 10,000 rows of 8 columns, in memory".into(), bars));
    let largest = results.wire.iter().map(|wire| wire.rows).max();
    let wires = results.wire.iter().filter(|wire| Some(wire.rows) == largest);
    let bars: Vec<Bar> = wires
        .clone()
        .map(|wire| {
            let value = wire.growth as f64 / 1e6;
            Bar { label: label(&wire.name), value, text: format!("{} MB", number(value)), kind: whose(&wire.name) }
        })
        .collect();
    if let Some(wire) = wires.clone().next() {
        let title =
            format!("Peak memory: {} from MariaDB, {} MB of JSON", count(wire.rows), number(wire.bytes as f64 / 1e6));
        panels.push(panel(title, bars));
    }
    Chart {
        title: "Rows to JSON".into(),
        subtitle: "what a miss pays beside the query; shorter is better".into(),
        panels,
    }
    .svg()
}

fn drops(results: &Results) -> String {
    let names = [("mrc", "mrc", Kind::Mrc), ("npm", "npm peer", Kind::Other)];
    let (mut times, mut entries) = (Vec::new(), Vec::new());
    for (name, label, kind) in names {
        let Some(series) = find(&results.drops, name) else { continue };
        let (ms, dropped) = (series.median(|work| work.wall * 1e3), series.median(|work| work.seen as f64));
        times.push(Bar { label: label.into(), value: ms, text: format!("{} ms", number(ms)), kind });
        entries.push(Bar { label: label.into(), value: dropped, text: thousands(dropped), kind });
    }
    Chart {
        title: "Dropping the 100 entries of StoreId=6".into(),
        subtitle: "among 100,000 entries of 1,000 stores in Redis; shorter is better".into(),
        panels: vec![panel("Time".into(), times), panel("Dropped entries; 100 would be right".into(), entries)],
    }
    .svg()
}

fn panel(title: String, bars: Vec<Bar>) -> Panel {
    let scale = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    Panel { title, bars, scale }
}
