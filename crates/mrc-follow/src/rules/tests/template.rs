use proptest::prelude::*;

use crate::rules::template::{Part, Template};

#[track_caller]
fn check(template: &str, expect: Result<&[Part], &str>) {
    let parsed = template.parse::<Template>();
    match expect {
        Ok(parts) => assert_eq!(parsed.unwrap().0, parts),
        Err(part) => {
            let error = parsed.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn texts_and_columns() {
    let (text, column) = (|text: &str| Part::Text(text.into()), |name: &str| Part::Column(name.into()));
    check("orders", Ok(&[text("orders")]));
    check("order:{id}", Ok(&[text("order:"), column("id")]));
    check("{a}{b c}-", Ok(&[column("a"), column("b c"), text("-")]));
    check("{{a}}", Ok(&[text("{a}")]));
    check("{{{a}}}", Ok(&[text("{"), column("a"), text("}")]));
}

#[test]
fn an_error_tells_what_to_write() {
    check("", Err("empty"));
    check("a{b", Err("write `{column}`, or `{{` for a brace"));
    check("a{b{c}", Err("isn't closed"));
    check("a}b", Err("write `{column}`, or `}}` for a brace"));
    check("a{}", Err("without a column"));
    check("a{ }", Err("without a column"));
}

proptest! {
    #[test]
    fn a_template_is_read_as_it_is_written(parts in prop::collection::vec((any::<bool>(), "[a{} é]{1,4}", "[a-zé ]{0,3}[a-z]"), 1..6)) {
        let mut expect: Vec<Part> = Vec::new();
        for (is_text, text, column) in parts {
            match (is_text, expect.last_mut()) {
                (true, Some(Part::Text(before))) => before.push_str(&text),
                (true, _) => expect.push(Part::Text(text)),
                (false, _) => expect.push(Part::Column(column)),
            }
        }
        let template = Template(expect);
        prop_assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a{} ]{0,8}") {
        if let Ok(template) = text.parse::<Template>() {
            prop_assert_eq!(template.to_string(), text);
        }
    }
}
