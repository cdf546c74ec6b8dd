//! The tables, in Markdown.

use std::time::Duration;

use mrc_chart::quantile;

use crate::record::{Counts, Measured, Outcome, Results, Sample};
use crate::series::{DROPPED, QUERIES, UNDROPPED, UNWRITTEN, WRITTEN};

/// The share of the first phase's hit ratio that counts as recovered.
const RECOVERED: f64 = 0.9;
const SECOND: Duration = Duration::from_secs(1);

/// Returns a table of calls with a row for each phase.
pub(super) fn calls(results: &Results, measured: &Measured) -> String {
    let head = "|calls/s|p50 ms|p99 ms|p99.9 ms|max ms|right|stale|refused|failed|wrong|hung|hits %|queries/s";
    let head: Vec<&str> = head.split('|').collect();
    let rows = results.phases.iter().enumerate().map(|(number, (phase, span))| {
        let samples: Vec<&Sample> = results.of(measured, number).collect();
        let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
        took.sort_unstable();
        let seconds = (span.end - span.start).as_secs_f64();
        let count = |outcome| samples.iter().filter(|sample| sample.outcome == outcome).count();
        let mut row = vec![phase.name.to_owned(), format!("{:.0}", samples.len() as f64 / seconds)];
        row.extend([0.5, 0.99, 0.999, 1.0].map(|part| millis(quantile(&took, part).unwrap_or_default())));
        row.push((count(Outcome::Hit) + count(Outcome::Read)).to_string());
        let others = [Outcome::Stale, Outcome::Refused, Outcome::Failed, Outcome::Wrong, Outcome::Hung];
        row.extend(others.map(|outcome| count(outcome).to_string()));
        row.push(format!("{:.1}", hits(samples.iter().copied()) * 100.0));
        row.push(format!("{:.0}", measured.events.get(QUERIES, number) as f64 / seconds));
        row
    });
    format!("### Calls, {}\n\n{}", measured.name, table(&head, rows))
}

/// Returns how soon each phase had recovered.
pub(super) fn recoveries(results: &Results) -> String {
    let rows = results.phases.iter().enumerate().skip(1).filter(|(_, (phase, _))| phase.outage.is_none());
    let rows = rows.map(|(number, (phase, span))| {
        let mut row = vec![phase.name.to_owned()];
        for measured in &results.series {
            let after = |due: Duration| (due - span.start).as_secs_f64();
            let failed = |sample: &&Sample| matches!(sample.outcome, Outcome::Refused | Outcome::Failed);
            let last = results.of(measured, number).filter(failed).map(|sample| after(sample.due)).reduce(f64::max);
            row.push(last.map_or("none".into(), |last| format!("{last:.2}")));
            let usual = hits(results.of(measured, 0)) * RECOVERED;
            let whole = |start: &Duration| *start + SECOND <= span.end;
            let mut starts = (0..).map(|step| span.start + step * SECOND / 4).take_while(whole);
            let is_usual = |start: &Duration| {
                let second = *start..*start + SECOND;
                hits(results.of(measured, number).filter(|sample| second.contains(&sample.due))) >= usual
            };
            row.push(starts.find(is_usual).map_or("**never**".into(), |start| format!("{:.2}", after(start))));
        }
        row
    });
    let mut head = vec!["s after the server is back".to_owned()];
    for measured in &results.series {
        head.extend([format!("last error, {}", measured.name), format!("hits as usual, {}", measured.name)]);
    }
    "### Recovery\n\n".to_owned() + &table(&head, rows)
}

pub(super) fn writes(results: &Results) -> String {
    let names = [WRITTEN, UNWRITTEN, DROPPED, UNDROPPED];
    let rows = results.phases.iter().enumerate().map(|(number, (phase, _))| {
        let counts = names.map(|name| results.writer.get(name, number).to_string());
        [phase.name.to_owned()].into_iter().chain(counts).collect()
    });
    let head: Vec<&str> = [""].into_iter().chain(names).collect();
    "### The writer\n\n".to_owned() + &table(&head, rows)
}

/// Returns a table of counts, with a row for each name and a column for each phase.
pub(super) fn counts(title: &str, results: &Results, counts: &Counts) -> String {
    let phases = 0..results.phases.len();
    let names = counts.names().into_iter().filter(|name| phases.clone().any(|phase| counts.get(name, phase) > 0));
    let rows: Vec<Vec<String>> = names
        .map(|name| {
            let row = phases.clone().map(|phase| counts.get(&name, phase).to_string());
            [name.replace('|', "\\|")].into_iter().chain(row).collect()
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head: Vec<&str> = [""].into_iter().chain(results.phases.iter().map(|(phase, _)| phase.name)).collect();
    format!("### {title}\n\n{}", table(&head, rows))
}

pub(super) fn table(head: &[impl ToString], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    mrc_chart::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Returns the share of calls that were hits.
fn hits<'a>(samples: impl Iterator<Item = &'a Sample>) -> f64 {
    let (mut all, mut hits) = (0_u32, 0_u32);
    for sample in samples {
        all += 1;
        hits += u32::from(sample.outcome == Outcome::Hit);
    }
    f64::from(hits) / f64::from(all.max(1))
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.2}") } else { format!("{millis:.0}") }
}
