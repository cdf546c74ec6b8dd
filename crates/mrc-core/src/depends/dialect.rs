//! MySQL's dialect for the parser, with a short way for the operands that most conditions have.

use std::any::TypeId;

use sqlparser::ast::{Expr, Statement, Value};
use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Parses as [`MySqlDialect`]. For each operand, that one first tries whether a type begins there
/// (`DATE '2026-01-01'`), which makes and drops an error.
#[derive(Debug)]
pub(super) struct Quick;

const MYSQL: MySqlDialect = MySqlDialect {};

/// Answers as [`MySqlDialect`].
macro_rules! as_mysql {
    ($($name:ident)*) => { $(fn $name(&self) -> bool { MYSQL.$name() })* };
}

impl Dialect for Quick {
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let next = &parser.peek_nth_token_ref(1).token;
        let begin = parser.peek_token_ref();
        let operand = match &begin.token {
            Token::Word(word) if is_name(word.keyword) && (*next == Token::Period || ends_operand(next)) => {
                Expr::Identifier(word.to_ident(begin.span))
            }
            Token::Placeholder(text) if ends_operand(next) => {
                Expr::Value(Value::Placeholder(text.clone()).with_span(begin.span))
            }
            Token::Number(digits, is_long) if ends_operand(next) => {
                Expr::Value(Value::Number(digits.clone(), *is_long).with_span(begin.span))
            }
            Token::SingleQuotedString(text) if ends_operand(next) => {
                Expr::Value(Value::SingleQuotedString(text.clone()).with_span(begin.span))
            }
            _ => return None,
        };
        parser.advance_token();
        Some(Ok(operand))
    }

    // The parser asks whether the dialect is MySQL's by this.
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        MYSQL.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MYSQL.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        MYSQL.is_delimited_identifier_start(ch)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        MYSQL.identifier_quote_style(identifier)
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        MYSQL.parse_infix(parser, expr, precedence)
    }

    fn parse_statement(&self, parser: &mut Parser<'_>) -> Option<Result<Statement, ParserError>> {
        MYSQL.parse_statement(parser)
    }

    fn is_table_factor_alias(&self, explicit: bool, keyword: &Keyword, parser: &mut Parser<'_>) -> bool {
        MYSQL.is_table_factor_alias(explicit, keyword, parser)
    }

    as_mysql! {
        supports_string_literal_backslash_escape supports_string_literal_concatenation
        ignores_wildcard_escapes supports_numeric_prefix supports_bitwise_shift_operators
        supports_multiline_comment_hints require_interval_qualifier supports_limit_comma
        supports_create_table_select supports_insert_set supports_user_host_grantee
        supports_table_hints requires_single_line_comment_whitespace supports_match_against
        supports_select_modifiers supports_set_names supports_comma_separated_set_assignments
        supports_update_order_by supports_data_type_signed_suffix supports_cross_join_constraint
        supports_double_ampersand_operator supports_binary_kw_as_cast
        supports_comment_optimizer_hint supports_constraint_keyword_without_name
        supports_key_column_option supports_group_by_with_modifier
        supports_left_associative_joins_without_parens
    }
}

/// Returns whether a word with this keyword can only be a name where an operand begins.
fn is_name(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::NoKeyword | Keyword::ID | Keyword::NAME | Keyword::STATUS | Keyword::TYPE)
}

/// Returns whether an operand that is a name or a literal ends before this token for sure.
fn ends_operand(token: &Token) -> bool {
    use Keyword::*;
    match token {
        Token::EOF | Token::SemiColon | Token::Comma | Token::RParen => true,
        Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => true,
        Token::Word(word) => {
            matches!(word.keyword, AND | OR | FROM | WHERE | GROUP | ORDER | LIMIT | AS | ASC | DESC | IN | IS)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::statement::Tokens;

    const QUERIES: &str = include_str!("../statement/queries.sql");

    fn tokens() -> Vec<Vec<Token>> {
        let of = |sql| Tokens::read(sql).pieces.into_iter().flatten().map(|piece| piece.token).collect();
        QUERIES.lines().filter(|line| !line.starts_with("-- ")).map(of).collect()
    }

    fn parse(dialect: &dyn Dialect, tokens: &[Token]) -> Result<String, ParserError> {
        let parser = Parser::new(dialect).with_recursion_limit(40);
        parser.with_tokens(tokens.to_vec()).parse_query().map(|query| format!("{query:?}"))
    }

    #[test]
    fn typical_queries_are_parsed_as_by_the_dialect_of_mysql() {
        for tokens in tokens() {
            assert_eq!(parse(&Quick, &tokens), parse(&MYSQL, &tokens), "{tokens:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A query into which parts of others were mixed.
        #[test]
        fn any_tokens_are_parsed_as_by_the_dialect_of_mysql(
            first: Index,
            changes in prop::collection::vec((any::<Index>(), any::<Index>(), any::<Index>(), 0..3_usize, 0..3_usize), 1..4),
        ) {
            let all = tokens();
            let mut mixed = first.get(&all).clone();
            for (at, other, from, out, count) in changes {
                let other = other.get(&all);
                let at = at.index(mixed.len() + 1);
                let from = from.index(other.len() + 1);
                let end = (at + out).min(mixed.len());
                mixed.splice(at..end, other[from..].iter().take(count).cloned());
            }
            prop_assert_eq!(parse(&Quick, &mixed), parse(&MYSQL, &mixed), "{:?}", mixed);
        }
    }
}
