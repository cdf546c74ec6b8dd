//! Random queries.

use mrc_core::{Date, Decimal, Params, Value};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;
use crate::schema::{Schema, Table, View};

/// A query with its params, and as a text with literals.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) params: Params,
    pub(crate) text: String,
    /// Whether the params are bound to a prepared statement.
    pub(crate) is_prepared: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Factor {
    pub(crate) name: String,
    pub(crate) columns: Vec<(&'static str, Kind)>,
}

pub(crate) struct Writer<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) rng: &'a mut SmallRng,
    /// The factors of the open `SELECT`s, the innermost last.
    pub(crate) scopes: Vec<Vec<Factor>>,
    /// The values of params by their number.
    values: Vec<(String, Value)>,
    ctes: Vec<Factor>,
    aliases: usize,
}

impl Query {
    /// Returns a query whose params are bound to a prepared statement.
    pub(crate) fn fixed(sql: &str, params: Params) -> Self {
        let is_prepared = !params.is_empty();
        Self { sql: sql.into(), params, text: sql.into(), is_prepared }
    }

    /// Returns the query as a text with its integers and plain texts as literals.
    pub(crate) fn in_text(self) -> Self {
        let mut parts = self.sql.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (value, part) in self.params.values().zip(parts) {
            text += &match value {
                Value::Int(int) => int.to_string(),
                Value::Text(text) => format!("'{text}'"),
                other => unreachable!("{other:?} isn't in this load"),
            };
            text += part;
        }
        Self { text, is_prepared: false, ..self }
    }

    pub(crate) fn random(schema: &Schema, rng: &mut SmallRng) -> Self {
        let mut writer = Writer::new(schema, rng);
        let text = writer.statement();
        writer.finish(&text)
    }

    /// Returns the text of a view, and the view.
    pub(crate) fn view(name: &str, schema: &Schema, rng: &mut SmallRng) -> (String, View) {
        let mut writer = Writer::new(schema, rng);
        let (text, columns, over) = writer.plain_select();
        (writer.finish(&text).text, View { view: Table::new(name, columns), over })
    }
}

impl<'a> Writer<'a> {
    fn new(schema: &'a Schema, rng: &'a mut SmallRng) -> Self {
        Self { schema, rng, scopes: Vec::new(), values: Vec::new(), ctes: Vec::new(), aliases: 0 }
    }

    fn finish(self, text: &str) -> Query {
        let values = self.values;
        // A param stands as \u{1}number\u{2} in the text.
        let (mut sql, mut literal, mut params) = (String::new(), String::new(), Params::new());
        let mut parts = text.split('\u{1}');
        let first = parts.next().unwrap_or_default();
        sql.push_str(first);
        literal.push_str(first);
        for part in parts {
            let (number, rest) = part.split_once('\u{2}').expect("a marker ends");
            let (text, value) = &values[number.parse::<usize>().expect("a number")];
            params.push(format!("P{number}"), value.clone());
            sql.push('?');
            literal.push_str(text);
            sql.push_str(rest);
            literal.push_str(rest);
        }
        Query { sql, params, text: literal, is_prepared: false }
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    pub(crate) fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.rng.random_range(0..of.len())]
    }

    /// Returns a constant for a column of this type: a literal or a param.
    pub(crate) fn constant(&mut self, kind: Kind) -> String {
        let literal = if self.chance(78) { kind.literal(self.rng) } else { Kind::any_literal(self.rng) };
        if self.chance(50) {
            return literal.into();
        }
        let Some(value) = self.value(literal) else { return literal.into() };
        self.values.push((literal.into(), value));
        format!("\u{1}{}\u{2}", self.values.len() - 1)
    }

    /// Returns the value of a literal. Returns `None` if a param can't be one.
    fn value(&mut self, literal: &str) -> Option<Value> {
        if let Some(text) = literal.strip_prefix('\'') {
            let text = text.trim_end_matches('\'');
            let parts: Vec<u16> = text.split('-').filter_map(|part| part.parse().ok()).collect();
            return Some(match parts[..] {
                [2025, month, day] if self.chance(50) => {
                    Value::Date(Date::new(2025, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()?)
                }
                _ => Value::from(text),
            });
        }
        if let Some(hex) = literal.strip_prefix("X'") {
            let hex = hex.trim_end_matches('\'').as_bytes();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            return Some(Value::from(hex.chunks(2).filter_map(byte).collect::<Vec<u8>>()));
        }
        match literal.parse::<i64>() {
            Ok(int) => Some(Value::from(int)),
            Err(_) => Some(Value::from(Decimal::new(literal).ok()?)),
        }
    }

    fn statement(&mut self) -> String {
        let mut with = String::new();
        if self.chance(8) {
            for at in 0..if self.chance(30) { 2 } else { 1 } {
                // Half of the names hide a table.
                let name = format!("{}{at}", if self.chance(50) { "t" } else { "c" });
                let (text, columns, _) = self.plain_select();
                with += &format!("{} {name} AS ({text})", if at == 0 { "WITH" } else { "," });
                self.ctes.push(Factor { name, columns });
            }
            with.push(' ');
        }
        let body = if self.chance(8) {
            let all = if self.chance(50) { " ALL" } else { "" };
            format!("{} UNION{all} {}", self.select(0, Some("COUNT(*)")), self.select(0, Some("COUNT(*)")))
        } else {
            self.select(0, None)
        };
        with + &body
    }

    /// Returns a `SELECT`. `depth` counts the queries around it.
    pub(crate) fn select(&mut self, depth: usize, projection: Option<&str>) -> String {
        self.scopes.push(Vec::new());
        let from = self.from(depth);
        let condition = if self.chance(88) { format!(" WHERE {}", self.conditions(depth)) } else { String::new() };
        let (projection, end) = match projection {
            Some(projection) => (projection.to_owned(), String::new()),
            None => self.projection(depth),
        };
        self.scopes.pop();
        format!("SELECT {projection} FROM {from}{condition}{end}")
    }

    /// Returns the columns of a `SELECT`, and what comes after its `WHERE`.
    fn projection(&mut self, depth: usize) -> (String, String) {
        let none = String::new();
        let factors = self.scopes.last().cloned().unwrap_or_default();
        let factor = self.pick(&factors).clone();
        let id = format!("{}.{}", factor.name, factor.columns[0].0);
        match self.rng.random_range(0..20) {
            0..6 => ("COUNT(*)".into(), none),
            6 => (format!("SUM({id}), COUNT(*)"), none),
            7 => (format!("{id} % 2, COUNT(*)"), format!(" GROUP BY {id} % 2")),
            8 => (format!("{id} % 2"), format!(" GROUP BY {id} % 2 HAVING COUNT(*) > 1")),
            9 if depth < 2 => (format!("{id}, ({})", self.select(depth + 1, Some("COUNT(*)"))), none),
            10 if factors.len() == 1 && factor.columns[0].0 == "id" => (id.clone(), format!(" ORDER BY {id} LIMIT 2")),
            _ => {
                let mut columns = vec![id];
                for at in 0..self.rng.random_range(0..3) {
                    let factor = self.pick(&factors).clone();
                    columns.push(format!("{}.{} AS p{at}", factor.name, self.pick(&factor.columns).0));
                }
                (columns.join(", "), none)
            }
        }
    }

    fn from(&mut self, depth: usize) -> String {
        let mut text = self.factor(depth);
        let more = match self.rng.random_range(0..100) {
            0..48 => 0,
            48..85 => 1,
            _ => 2,
        };
        for _ in 0..more {
            let join = self.rng.random_range(0..20);
            if join == 19 {
                let inner = self.factor(depth);
                let other = self.factor(depth);
                let kind = *self.pick(&["JOIN", "LEFT JOIN"]);
                let on = self.conditions(depth + 1);
                let all = self.conditions(depth + 1);
                text = format!("{text} LEFT JOIN ({inner} {kind} {other} ON {on}) ON {all}");
                continue;
            }
            let factor = self.factor(depth);
            text = match join {
                0..3 => format!("{text}, {factor}"),
                3 => format!("{text} CROSS JOIN {factor}"),
                4 => format!("{text} NATURAL JOIN {factor}"),
                5 => format!("{text} LEFT JOIN {factor} USING (id)"),
                6 => format!("({text}) JOIN {factor} ON {}", self.conditions(depth + 1)),
                7..11 => format!("{text} JOIN {factor} ON {}", self.conditions(depth + 1)),
                11..17 => format!("{text} LEFT JOIN {factor} ON {}", self.conditions(depth + 1)),
                17 => format!("{text} RIGHT JOIN {factor} ON {}", self.conditions(depth + 1)),
                _ => format!("{text} STRAIGHT_JOIN {factor} ON {}", self.conditions(depth + 1)),
            };
        }
        text
    }

    fn factor(&mut self, depth: usize) -> String {
        if depth < 2 && self.chance(10) {
            let (mut text, columns, over) = self.plain_select();
            if self.chance(15) {
                // Inside alone, the name means the CTE.
                text = format!("WITH {over} AS ({text}) SELECT * FROM {over}");
            }
            let name = self.alias();
            self.add(Factor { name: name.clone(), columns });
            return format!("({text}) AS {name}");
        }
        let ctes = self.ctes.clone();
        let (name, columns) = if !ctes.is_empty() && self.chance(40) {
            let cte = self.pick(&ctes);
            (cte.name.clone(), cte.columns.clone())
        } else {
            let table = *self.pick(&self.schema.sources());
            (table.name.clone(), table.columns.clone())
        };
        let is_taken = self.scopes.last().is_some_and(|scope| scope.iter().any(|factor| factor.name == name));
        if !is_taken && self.chance(40) {
            self.add(Factor { name: name.clone(), columns });
            return name;
        }
        let alias = self.alias();
        self.add(Factor { name: alias.clone(), columns });
        let word = if self.chance(50) { "AS " } else { "" };
        format!("{name} {word}{alias}")
    }

    /// Returns a `SELECT` of a derived table, a CTE or a view, with its columns and its table.
    fn plain_select(&mut self) -> (String, Vec<(&'static str, Kind)>, String) {
        let schema = self.schema;
        let table = self.pick(&schema.tables);
        // A derived table doesn't see the factors beside it.
        let outer = std::mem::take(&mut self.scopes);
        self.scopes.push(vec![Factor { name: table.name.clone(), columns: table.columns.clone() }]);
        let condition = if self.chance(70) { format!(" WHERE {}", self.conditions(2)) } else { String::new() };
        self.scopes = outer;
        let mut columns = vec![table.columns[0]];
        columns.extend(table.columns.iter().skip(1).filter(|_| self.rng.random_bool(0.6)));
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        (format!("SELECT {} FROM {}{condition}", names.join(", "), table.name), columns, table.name.clone())
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("x{}", self.aliases)
    }

    fn add(&mut self, factor: Factor) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(factor);
        }
    }
}
