//! The built-in functions, and which of them can't be cached.

use std::sync::LazyLock;

use super::NotCacheable;

/// What a name is that stands before a `(`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Builtin {
    pub(super) kind: Kind,
    /// With a blank before the `(` the name is a stored function's, unless the server's `sql_mode` has `IGNORE_SPACE`.
    pub(super) joined: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Writes,
    Locks,
    Session,
    Random,
    Waits,
    Clock(Clock),
    /// No function: a word of the grammar, which no server takes for a stored function's name.
    Syntax,
}

/// When a function reads the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Always, without parentheses too.
    Word,
    /// Always.
    Call,
    /// When it has at most so many arguments.
    Arguments(usize),
}

/// Sorted by name, which is in upper case.
static BUILTINS: LazyLock<Vec<(&str, Builtin)>> = LazyLock::new(|| {
    include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

fn parse(line: &str) -> Option<(&str, Builtin)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let mut builtin = Builtin { kind: Kind::Plain, joined: false };
    for word in words {
        match word {
            "joined" => builtin.joined = true,
            "writes" => builtin.kind = Kind::Writes,
            "locks" => builtin.kind = Kind::Locks,
            "session" => builtin.kind = Kind::Session,
            "random" => builtin.kind = Kind::Random,
            "waits" => builtin.kind = Kind::Waits,
            "clock" => builtin.kind = Kind::Clock(Clock::Word),
            "clock-call" => builtin.kind = Kind::Clock(Clock::Call),
            "clock-of-none" => builtin.kind = Kind::Clock(Clock::Arguments(0)),
            "clock-of-one" => builtin.kind = Kind::Clock(Clock::Arguments(1)),
            "syntax" => builtin.kind = Kind::Syntax,
            _ => {}
        }
    }
    Some((name, builtin))
}

/// What the servers have built in under this name, in any case. Returns `None` if no server has.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    let name = name.to_ascii_uppercase();
    let at = BUILTINS.binary_search_by(|(known, _)| known.cmp(&&*name)).ok()?;
    BUILTINS.get(at).map(|(_, builtin)| *builtin)
}

/// Why a call of `name` isn't cached. Returns `None` if it is.
///
/// The time functions pass (see the module's docs).
pub(super) fn refusal(name: &str, kind: Kind) -> Option<NotCacheable> {
    let what = format!("{name}()");
    match kind {
        Kind::Writes => Some(NotCacheable::Writes { what }),
        Kind::Locks => Some(NotCacheable::Locks { what }),
        Kind::Session => Some(NotCacheable::DependsOnSession { what }),
        Kind::Random => Some(NotCacheable::NonDeterministic { what }),
        Kind::Waits => Some(NotCacheable::Waits { what }),
        Kind::Plain | Kind::Clock(_) | Kind::Syntax => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_word_of_it_is_known() {
        assert!(BUILTINS.is_sorted_by(|(one, _), (next, _)| one < next));
        let lines: Vec<_> = include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), BUILTINS.len());
        for line in lines {
            let mut words = line.split(' ');
            let name = words.next().unwrap();
            assert!(
                name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
                "{line}"
            );
            for word in words {
                let kinds =
                    ["clock", "clock-call", "clock-of-none", "clock-of-one", "session", "random", "locks", "waits"];
                let others = ["mysql", "mariadb", "sqlite", "other", "joined", "writes", "syntax"];
                assert!(kinds.contains(&word) || others.contains(&word), "{line}");
            }
        }
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        let plain = Builtin { kind: Kind::Plain, joined: false };
        assert_eq!(builtin("Json_Extract"), Some(plain));
        assert_eq!(builtin("sum"), Some(Builtin { joined: true, ..plain }));
        assert_eq!(builtin("encrypt"), Some(Builtin { kind: Kind::Random, ..plain }));
        for unknown in ["my_function", "", "innodb_redo_log_archive_start", "keyring_key_store", "straße"] {
            assert_eq!(builtin(unknown), None, "{unknown}");
        }
    }
}
