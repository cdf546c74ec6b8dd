//! The built-in functions, and which of them can't be cached.

use std::sync::LazyLock;

use super::NotCacheable;

/// The properties of a name before a `(`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Builtin {
    pub(super) kind: FunctionKind,
    /// Whether a blank before the `(` makes this a stored function, save with `IGNORE_SPACE`.
    pub(super) joined: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionKind {
    Plain,
    Writes,
    Locks,
    Session,
    Random,
    Waits,
    Clock(Clock),
    /// A word of the grammar, which no server takes for a stored function's name.
    Syntax,
}

/// When a function reads the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Always, without parentheses too.
    Word,
    /// Always.
    Call,
    /// If it has at most this many arguments.
    Arguments(usize),
}

/// The built-in functions, sorted by name. Names are in upper case.
static BUILTINS: LazyLock<Vec<(&str, Builtin)>> = LazyLock::new(|| {
    include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

fn parse(line: &str) -> Option<(&str, Builtin)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let mut builtin = Builtin { kind: FunctionKind::Plain, joined: false };
    for word in words {
        match word {
            "joined" => builtin.joined = true,
            "writes" => builtin.kind = FunctionKind::Writes,
            "locks" => builtin.kind = FunctionKind::Locks,
            "session" => builtin.kind = FunctionKind::Session,
            "random" => builtin.kind = FunctionKind::Random,
            "waits" => builtin.kind = FunctionKind::Waits,
            "clock" => builtin.kind = FunctionKind::Clock(Clock::Word),
            "clock-call" => builtin.kind = FunctionKind::Clock(Clock::Call),
            "clock-of-none" => builtin.kind = FunctionKind::Clock(Clock::Arguments(0)),
            "clock-of-one" => builtin.kind = FunctionKind::Clock(Clock::Arguments(1)),
            "syntax" => builtin.kind = FunctionKind::Syntax,
            _ => {}
        }
    }
    Some((name, builtin))
}

/// Returns the built-in function of this name, in any case. Returns `None` if no server has it.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    let name = name.to_ascii_uppercase();
    let at = BUILTINS.binary_search_by(|(known, _)| known.cmp(&&*name)).ok()?;
    BUILTINS.get(at).map(|(_, builtin)| *builtin)
}

/// Returns why a call of `name` isn't cached. Returns `None` if it is.
///
/// The time functions pass (see the module's docs).
pub(super) fn refusal(name: &str, kind: FunctionKind) -> Option<NotCacheable> {
    let what = format!("{name}()");
    match kind {
        FunctionKind::Writes => Some(NotCacheable::Writes { what }),
        FunctionKind::Locks => Some(NotCacheable::Locks { what }),
        FunctionKind::Session => Some(NotCacheable::DependsOnSession { what }),
        FunctionKind::Random => Some(NotCacheable::NonDeterministic { what }),
        FunctionKind::Waits => Some(NotCacheable::Waits { what }),
        FunctionKind::Plain | FunctionKind::Clock(_) | FunctionKind::Syntax => None,
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
        let plain = Builtin { kind: FunctionKind::Plain, joined: false };
        assert_eq!(builtin("Json_Extract"), Some(plain));
        assert_eq!(builtin("sum"), Some(Builtin { joined: true, ..plain }));
        assert_eq!(builtin("encrypt"), Some(Builtin { kind: FunctionKind::Random, ..plain }));
        for unknown in ["my_function", "", "innodb_redo_log_archive_start", "keyring_key_store", "straße"] {
            assert_eq!(builtin(unknown), None, "{unknown}");
        }
    }
}
