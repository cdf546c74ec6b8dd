//! Reports hit ratios: the table and the picture.

use super::lines::{Chart, Line, Panel};
use super::tables::Table;
use super::thousands;
use crate::policies::{OfRule, OfWorkload, Ratios};

/// The rooms in the table, as indexes into all rooms.
const SHOWN: [usize; 3] = [0, 2, 4];
/// The policies in the picture, with their lines. FIFO and RR coincide; MRU is for other workloads.
const LINES: [(&str, &str); 5] =
    [("Belady's optimum", "best"), ("LFU", "lfu"), ("LRU", "lru"), ("FIFO", "fifo"), ("LFU without ageing", "plain")];

pub(crate) fn table(ratios: &Ratios) -> String {
    let percents = SHOWN.map(|at| ratios.percents[at].to_string()).join(", ");
    let title = format!("Hit ratio in %, with room for {percents} % of {} keys", thousands(ratios.keys as f64));
    let header: Vec<&str> = std::iter::once("").chain(ratios.workloads.iter().map(|of| of.name)).collect();
    let mut table = Table::new(title, &header);
    let rules = ratios.workloads.first().map(|workload| workload.rules.as_slice()).unwrap_or_default();
    for (at, rule) in rules.iter().enumerate() {
        let cells = ratios.workloads.iter().map(|workload| cell(&workload.rules[at]));
        table.row(std::iter::once(rule.name.to_owned()).chain(cells));
    }
    table.text()
}

fn cell(rule: &OfRule) -> String {
    SHOWN.map(|at| format!("{:.1}", rule.ratios[at] * 100.0)).join(" · ")
}

pub(super) fn picture(ratios: &Ratios) -> String {
    let line = |workload: &OfWorkload, (name, class): (&'static str, &'static str)| {
        let rule = workload.rules.iter().find(|rule| rule.name == name)?;
        Some(Line { label: name, class, values: rule.ratios.iter().map(|ratio| ratio * 100.0).collect() })
    };
    let panels = ratios.workloads.iter().map(|workload| {
        let lines = LINES.into_iter().filter_map(|of| line(workload, of)).collect();
        Panel { title: workload.name.into(), lines }
    });
    Chart {
        title: "Hit ratios of the policies, in %".into(),
        subtitle: format!(
            "by the room of the cache, in % of {} keys; {} requests, of which the first {} aren't counted",
            thousands(ratios.keys as f64),
            thousands(ratios.requests as f64),
            thousands(ratios.warm_up as f64)
        ),
        steps: ratios.percents.iter().map(|percent| format!("{percent} %")).collect(),
        panels: panels.collect(),
    }
    .svg()
}
