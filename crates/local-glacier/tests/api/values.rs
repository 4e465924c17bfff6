//! Every rule for a value, with values that break it: the tables are in `values/`.
//!
//! A rule is for some operations (`of`) and one place of their requests (`at`). Each value is put there into a request
//! that is legal otherwise. A `bad` one gets the refusal it stands under, word for word, and leaves all tables of the
//! database and all files as they were; a `good` one is done. In a message, `{}` is the value as it is quoted.
//!
//! Values are JSON, and these besides: `{"$absent": true}`, `{"$repeat": ["text", 3]}`, `{"$again": "value"}` for a
//! header or parameter that comes a second time, `{"$text": …}` for the text of a document, and
//! `{"$replace": ["old", "new"]}` for a text in the header `Authorization`.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Request, pattern};
use crate::plan::{Furnished, Plan};

const TABLES: [(&str, &str); 7] = [
    ("signatures", include_str!("../values/signatures.json")),
    ("names", include_str!("../values/names.json")),
    ("archives", include_str!("../values/archives.json")),
    ("uploads", include_str!("../values/uploads.json")),
    ("jobs", include_str!("../values/jobs.json")),
    ("settings", include_str!("../values/settings.json")),
    ("policies", include_str!("../values/policies.json")),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    rule: String,
    /// Operations, or "every" with what it is narrowed to.
    of: Vec<String>,
    at: String,
    good: Vec<Value>,
    bad: Vec<Refused>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    /// Status and code.
    answer: String,
    message: String,
    values: Vec<Value>,
}

impl Rule {
    fn is_of(&self, plan: &Plan) -> bool {
        let of_vault = plan.path.starts_with("/-/vaults/");
        self.of.iter().any(|of| match of.as_str() {
            "every" => true,
            "every on a vault" => of_vault,
            "every on an existing vault" => {
                of_vault && !["CreateVault", "DeleteVault"].contains(&plan.operation.as_str())
            }
            "every that sends an archive" => plan.archive.is_some(),
            "every that sends no archive" => plan.archive.is_none(),
            name => plan.name() == name,
        })
    }
}

fn rules(table: &str, furnished: &Furnished) -> Vec<Rule> {
    serde_json::from_str(&furnished.fill(table)).unwrap_or_else(|error| panic!("{error}"))
}

/// What a value that is not itself stands for.
fn special<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object().filter(|fields| fields.len() == 1)?.get(name)
}

/// The value itself, as JSON.
fn plain(value: &Value) -> Value {
    if let Some(repeat) = special(value, "$repeat") {
        let count = usize::try_from(repeat[1].as_u64().unwrap()).unwrap();
        return match &repeat[0] {
            Value::String(text) => json!(text.repeat(count)),
            other => json!(vec![other; count]),
        };
    }
    match (special(value, "$text"), value) {
        (Some(document), _) => json!(plain(document).to_string()),
        (None, Value::Object(fields)) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        (None, other) => other.clone(),
    }
}

fn text(value: &Value) -> String {
    plain(value).as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// As the store quotes it.
fn quoted(value: &Value) -> String {
    let value = special(value, "$again").unwrap_or(value);
    let whole = match plain(value) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let cut: String = whole.chars().take(128).collect();
    if cut.len() < whole.len() { format!("{cut}…") } else { cut }
}

fn put_pair(pairs: &mut Vec<(String, String)>, name: &str, value: &Value) {
    if let Some(again) = special(value, "$again") {
        pairs.push((name.into(), text(again)));
        return;
    }
    pairs.retain(|(key, _)| key != name);
    if special(value, "$absent").is_none() {
        pairs.push((name.into(), text(value)));
    }
}

fn put_field(document: &mut Value, pointer: &str, value: &Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
    match (parent, special(value, "$absent")) {
        (Value::Object(fields), Some(_)) => drop(fields.remove(name)),
        (Value::Array(items), _) => items[name.parse::<usize>().unwrap()] = plain(value),
        (parent, _) => parent[name] = plain(value),
    }
}

/// The plan's request with the value in its place.
fn with(plan: &Plan, at: &str, value: &Value) -> Request {
    let mut plan = plan.clone();
    let (kind, rest) = at.split_once(' ').unwrap_or((at, ""));
    match kind {
        "line" => {
            let line = text(value);
            let (method, target) = line.split_once(' ').unwrap();
            plan.request().to(method, target)
        }
        "account" => plan.with_segment(1, &text(value)).request(),
        "vault" => plan.with_segment(3, &text(value)).request(),
        "id" => plan.with_segment(5, &text(value)).request(),
        "header" if special(value, "$again").is_some() => plan.request().with_another(rest, &text(&value["$again"])),
        "header" if special(value, "$absent").is_some() => plan.request().without(rest),
        "header" => plan.request().with(rest, &text(value)),
        "unsigned" => plan.request().with_unsigned(rest, &text(value)),
        "query" => {
            put_pair(&mut plan.query, rest, value);
            plan.request()
        }
        "body" if rest.is_empty() => plan.request().with_text(&text(value)),
        "body" => {
            put_field(plan.body.as_mut().unwrap(), rest, value);
            plan.request()
        }
        "policy" => {
            let body = plan.body.as_mut().unwrap();
            let mut policy: Value = serde_json::from_str(body["Policy"].as_str().unwrap()).unwrap();
            put_field(&mut policy, rest, value);
            body["Policy"] = json!(policy.to_string());
            plan.request()
        }
        "length" => Plan { archive: Some(length(value)), ..plan }.request(),
        "part" => {
            put_pair(&mut plan.headers, "content-range", &value[0]);
            Plan { archive: Some(length(&value[1])), ..plan }.request()
        }
        "sent" => plan.request().with_body(pattern(length(value))),
        "payload" => plan.request().with_payload_hash(&text(value)),
        "clock" => plan.request().skewed(value.as_i64().unwrap()),
        "date" if special(value, "$absent").is_some() => plan.request().undated(),
        "authorization" => {
            if special(value, "$absent").is_some() {
                return plan.request().authorized_by(None);
            }
            match special(value, "$replace") {
                Some(by) => plan.request().authorized_with(by[0].as_str().unwrap(), by[1].as_str().unwrap()),
                None => plan.request().authorized_by(Some(&text(value))),
            }
        }
        _ => panic!("no such place: {at}"),
    }
}

fn length(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// What is wrong with the answer to a bad value.
fn bad(furnished: &Furnished, rule: &Rule, refused: &Refused, asked: Request, value: &Value) -> Option<String> {
    let (has_body, computed) = (asked.has_body(), asked.payload_hash());
    let answer = furnished.machine.send(asked);
    if answer.status < 400 {
        return Some(format!("was done: {}", answer.status));
    }
    let shown = quoted(if rule.at == "part" { &value[0] } else { value });
    let expected = (&*refused.answer, refused.message.replace("{computed}", &computed).replace("{}", &shown));
    let (code, message) = answer.refusal();
    let found = (&*format!("{} {code}", answer.status), message);
    let closes = answer.headers.get("connection").is_some_and(|value| value == "close");
    if found != expected {
        Some(format!("\n  found    {found:?}\n  expected {expected:?}"))
    } else if answer.json()["type"] != "Client" || closes != has_body {
        Some(format!("{answer:?}"))
    } else {
        None
    }
}

/// The request as it is, and with each good value, is done: on a store of its own, since much of it changes something.
fn check_good(table: &str, nth: usize, of: &[usize], wrong: &mut Vec<String>) {
    let mut made = None;
    let mut done = 0;
    loop {
        // The IDs in a value are those of the store that it is sent to.
        let (furnished, plans, rule) = made.get_or_insert_with(|| {
            let furnished = Furnished::new();
            let (plans, rule) = (furnished.plans(), rules(table, &furnished).swap_remove(nth));
            (furnished, plans, rule)
        });
        let plan = &plans[of[done % of.len()]];
        let value = match done / of.len() {
            0 => None,
            number if number > rule.good.len() => return,
            number => Some(&rule.good[number - 1]),
        };
        let asked = value.map_or_else(|| plan.request(), |value| with(plan, &rule.at, value));
        let answer = furnished.machine.send(asked);
        if !(200..300).contains(&answer.status) {
            wrong.push(format!("{}, good {} {value:?}: {} {}", plan.name(), rule.at, answer.status, answer.text));
        }
        if let Some(undo) = &plan.undo {
            let undo = plans.iter().find(|plan| plan.operation == *undo).unwrap();
            assert_eq!(furnished.machine.send(undo.request()).status, 204);
        }
        done += 1;
        if plan.spends {
            made = None;
        }
    }
}

fn check_table(name: &str) {
    let (_, table) = TABLES.iter().find(|(key, _)| *key == name).unwrap();
    let furnished = Furnished::new();
    let (rules, plans) = (rules(table, &furnished), furnished.plans());
    let (before, watch) = (furnished.machine.state(), furnished.machine.watch());
    let mut wrong = Vec::new();
    for (nth, rule) in rules.iter().enumerate() {
        let of: Vec<usize> = (0..plans.len()).filter(|at| rule.is_of(&plans[*at])).collect();
        assert!(!of.is_empty() && !rule.bad.is_empty(), "{}", rule.rule);
        for plan in of.iter().map(|at| &plans[*at]) {
            for (refused, value) in rule.bad.iter().flat_map(|it| it.values.iter().map(move |value| (it, value))) {
                let found = bad(&furnished, rule, refused, with(plan, &rule.at, value), value);
                wrong.extend(found.map(|found| format!("{}, bad {} {value}: {found}", plan.name(), rule.at)));
                let place = format!("{}: {} = {value} ({})", plan.name(), rule.at, rule.rule);
                let is_same = watch.saw_nothing() || furnished.machine.state() == before;
                assert!(is_same, "a refusal changed something: {place}\n{wrong:#?}");
            }
        }
        check_good(table, nth, &of, &mut wrong);
    }
    assert!(furnished.machine.state() == before, "a refusal changed something");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! tables {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check_table(stringify!($name));
        }
    )*};
}

tables! { signatures names archives uploads jobs settings policies }

#[test]
fn every_operation_has_rules_of_its_own_or_takes_no_value() {
    let furnished = Furnished::new();
    let rules: Vec<Rule> = TABLES.iter().flat_map(|(_, table)| rules(table, &furnished)).collect();
    let named: BTreeSet<&str> =
        rules.iter().flat_map(|rule| &rule.of).filter(|of| !of.starts_with("every")).map(String::as_str).collect();
    for plan in furnished.plans() {
        let takes_values = !plan.query.is_empty()
            || !plan.headers.is_empty()
            || plan.body.is_some()
            || plan.path.split('/').nth(5).is_some();
        assert!(!takes_values || named.contains(plan.name().as_str()), "{}", plan.name());
    }
    let values: usize = rules.iter().flat_map(|rule| &rule.bad).map(|refused| refused.values.len()).sum();
    println!("{} rules, {values} bad values", rules.len());
}
