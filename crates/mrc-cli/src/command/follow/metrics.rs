//! The numbers of a follower, in the text format of Prometheus.

use std::fmt::Write as _;

use mrc::follow::Status;

/// Returns the answer to `/metrics`. `name` needs no escape: it has letters, digits, `_`, `-`, `.`.
pub(super) fn text(name: &str, status: &Status) -> String {
    let counters = [
        ("transactions", status.transactions, "Committed transactions"),
        ("rows", status.rows, "Changed rows of followed tables"),
        ("tags", status.tags, "Invalidated tags and params"),
        ("invalidated", status.invalidated, "Invalidated entries"),
        ("reconnects", status.reconnects, "How often the stream was opened again"),
        ("rewinds", status.rewinds, "How often the cache had gone back to an older position"),
        ("lost", status.lost, "How often the database had no log from the position on"),
    ];
    let gauges = [
        ("leader", Some(f64::from(u8::from(status.leads))), "1 while this follower leads, else 0"),
        ("lag_seconds", Some(status.lag.as_secs_f64()), "From the newest applied commit to its invalidation"),
        ("visibility_seconds", Some(status.visibility.as_secs_f64()), "How long the last batch waited for readers"),
        ("schemes", Some(status.schemes as f64), "The registered conditions on rows that entries depend on"),
        ("tables", Some(status.tables as f64), "The tables of these conditions"),
        ("position_age_seconds", status.position_age.map(|age| age.as_secs_f64()), "Since the position was confirmed"),
    ];
    let mut text = String::new();
    // Writing to a String can't fail.
    for (metric, value, help) in counters {
        let metric = head(&mut text, &format!("{metric}_total"), "counter", help);
        let _ = writeln!(text, "{metric}{{follower=\"{name}\"}} {value}");
    }
    let metric = head(&mut text, "fallbacks_total", "counter", "How often everything of a table was invalidated");
    for (why, count) in &status.fallbacks {
        let _ = writeln!(text, "{metric}{{follower=\"{name}\",why=\"{why}\"}} {count}");
    }
    for (metric, value, help) in gauges {
        let Some(value) = value else { continue };
        let metric = head(&mut text, metric, "gauge", help);
        let _ = writeln!(text, "{metric}{{follower=\"{name}\"}} {value}");
    }
    text
}

/// Writes the lines before a metric, and returns its name.
fn head(text: &mut String, metric: &str, kind: &str, help: &str) -> String {
    let metric = format!("mrc_follow_{metric}");
    let _ = writeln!(text, "# HELP {metric} {help}.\n# TYPE {metric} {kind}");
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_text_format() {
        let mut status = Status::default();
        let new = text("shop", &status);
        assert!(new.starts_with("# HELP mrc_follow_transactions_total Committed transactions.\n"), "{new}");
        assert!(new.contains("\nmrc_follow_leader{follower=\"shop\"} 0\n"), "{new}");
        assert!(!new.contains("position_age"), "there is no position yet: {new}");
        status.fallbacks.insert("statement", 2);
        status.position_age = Some(std::time::Duration::from_millis(1_500));
        let later = text("shop", &status);
        assert!(later.contains("\nmrc_follow_fallbacks_total{follower=\"shop\",why=\"statement\"} 2\n"), "{later}");
        assert!(later.ends_with("\nmrc_follow_position_age_seconds{follower=\"shop\"} 1.5\n"), "{later}");
    }
}
