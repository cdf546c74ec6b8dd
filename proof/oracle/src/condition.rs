//! Random conditions: mostly equalities, and all that a parser could take for one.

use rand::Rng;

use crate::column::Kind;
use crate::query::Writer;

impl Writer<'_> {
    /// Returns conditions joined by AND, or by an operator that a parser may read differently.
    pub(crate) fn conditions(&mut self, depth: usize) -> String {
        let mut text = self.condition(depth, 0);
        while self.chance(45) {
            let between = match self.rng.random_range(0..40) {
                0 => "||",
                1 => "XOR",
                2 => "&&",
                3..7 => "OR",
                _ => "AND",
            };
            text = format!("{text} {between} {}", self.condition(depth, 0));
        }
        text
    }

    fn condition(&mut self, depth: usize, nested: usize) -> String {
        let (column, kind) = self.column();
        match self.rng.random_range(0..100) {
            0..40 => self.equality(&column, kind),
            40..48 => self.list(&column, kind),
            48..57 => format!("{column} IS NULL"),
            57..63 => format!("{column} = {}", self.column().0),
            63..69 if nested < 2 => {
                format!("({} OR {})", self.condition(depth, nested + 1), self.condition(depth, nested + 1))
            }
            69..72 if nested < 2 => {
                format!("({} AND {})", self.condition(depth, nested + 1), self.condition(depth, nested + 1))
            }
            72..76 if nested < 2 => format!("NOT {}", self.condition(depth, nested + 1)),
            76..84 if depth < 2 => self.subquery(&column, depth),
            84..86 => format!("{column} IS NOT NULL"),
            86..88 => format!("{column} <=> {}", self.constant(kind)),
            88..91 => {
                let operator = *self.pick(&["<", ">", "<>", ">=", "LIKE", "NOT LIKE"]);
                format!("{column} {operator} {}", self.constant(kind))
            }
            91 => format!("{column} BETWEEN {} AND {}", self.constant(kind), self.constant(kind)),
            92 => format!("{column} NOT IN ({})", self.constant(kind)),
            93 => format!("CASE WHEN {} THEN 1 ELSE 0 END", self.equality(&column, kind)),
            94 => format!("COALESCE({column}, 0) = {}", self.constant(kind)),
            95 => format!("BINARY {column} = {}", self.constant(kind)),
            96 => {
                let operator = *self.pick(&["DIV", "%", "+", "-", "&", "|", "^"]);
                format!("{column} {operator} {} = {}", self.constant(Kind::Int), self.constant(kind))
            }
            97 => format!("{} IS NULL", self.equality(&column, kind)),
            98 => {
                let comparison = self.equality(&column, kind);
                format!("{comparison} = {}", self.constant(Kind::Int))
            }
            99 => format!("({column}, {}) = ({}, 1)", self.column().0, self.constant(kind)),
            _ => self.equality(&column, kind),
        }
    }

    fn equality(&mut self, column: &str, kind: Kind) -> String {
        let constant = self.constant(kind);
        if self.chance(20) { format!("{constant} = {column}") } else { format!("{column} = {constant}") }
    }

    fn list(&mut self, column: &str, kind: Kind) -> String {
        let count = self.rng.random_range(1..4);
        let constants: Vec<String> = (0..count).map(|_| self.constant(kind)).collect();
        format!("{column} IN ({})", constants.join(", "))
    }

    fn subquery(&mut self, column: &str, depth: usize) -> String {
        match self.rng.random_range(0..5) {
            0 => format!("{column} IN ({})", self.select(depth + 1, Some("id"))),
            1 => format!("{column} NOT IN ({})", self.select(depth + 1, Some("id"))),
            2 => format!("NOT EXISTS ({})", self.select(depth + 1, Some("1"))),
            3 => format!("{column} = ({})", self.select(depth + 1, Some("COUNT(*)"))),
            _ => format!("EXISTS ({})", self.select(depth + 1, Some("1"))),
        }
    }

    /// Returns a column of an open `SELECT`, mostly of the innermost, and mostly with its table.
    fn column(&mut self) -> (String, Kind) {
        let scopes = self.scopes.len();
        let at = if scopes > 1 && self.chance(22) { self.rng.random_range(0..scopes - 1) } else { scopes - 1 };
        let scope = self.scopes[at].clone();
        if scope.is_empty() {
            return ("id".into(), Kind::Int);
        }
        let factor = self.pick(&scope).clone();
        let (name, kind) = *self.pick(&factor.columns);
        if self.chance(25) { (name.into(), kind) } else { (format!("{}.{name}", factor.name), kind) }
    }
}
