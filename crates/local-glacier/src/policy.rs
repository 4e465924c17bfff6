//! Vault access policies and vault lock policies: read when they are set, judged at every request.
//!
//! **What is judged.** `Effect` (`Allow`, `Deny`), `Principal` (`*`, or this account by its number or as
//! `arn:aws:iam::ACCOUNT:root`), `Action` (`glacier:` and an operation on a vault, in which `*` and `?` are wildcards),
//! `Resource` (the vault's ARN, with the same wildcards), and `Condition` with `Numeric…` operators on
//! `glacier:ArchiveAgeInDays` (whole days since the archive was created, known to DeleteArchive and to InitiateJob for a
//! retrieval) and `StringEquals`, `StringNotEquals`, `StringLike` and `StringNotLike` on `glacier:ResourceTag/KEY`.
//!
//! **What is not, is refused** when it is set, by name: a rule that would silently not hold is worse than none. Among it
//! are other principals (nobody but the account signs requests here), `NotAction` and its like, and
//! `aws:SecureTransport`, since the store speaks plain HTTP behind whatever proxy there is.
//!
//! **The rule.** The account may do everything that no statement denies; a `Deny` in either policy wins over every
//! `Allow`. A lock counts from its initiation. The three operations on the access policy itself are not judged by the
//! access policy, or a slip in it could not be undone; they are judged by the lock.
//!
//! **Source:** developer guide, "Access Control in Amazon Glacier", and the grammar of the IAM policy language.

mod condition;
mod document;
mod pattern;

use serde_json::{Map, Value};

use condition::Condition;
use document::Document;
use pattern::Pattern;

use crate::error::{self, Refusal};

/// Most bytes of a policy. **Source:** developer guide, "Vault Access Policies": 20 KB.
const MAX_LEN: usize = 20 << 10;

/// The operations a vault's policies can name.
const OPERATIONS: [&str; 28] = [
    "AbortMultipartUpload",
    "AbortVaultLock",
    "AddTagsToVault",
    "CompleteMultipartUpload",
    "CompleteVaultLock",
    "CreateVault",
    "DeleteArchive",
    "DeleteVault",
    "DeleteVaultAccessPolicy",
    "DeleteVaultNotifications",
    "DescribeJob",
    "DescribeVault",
    "GetJobOutput",
    "GetVaultAccessPolicy",
    "GetVaultLock",
    "GetVaultNotifications",
    "InitiateJob",
    "InitiateMultipartUpload",
    "InitiateVaultLock",
    "ListJobs",
    "ListMultipartUploads",
    "ListParts",
    "ListTagsForVault",
    "RemoveTagsFromVault",
    "SetVaultAccessPolicy",
    "SetVaultNotifications",
    "UploadArchive",
    "UploadMultipartPart",
];

/// A policy that can be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    sid: Option<String>,
    is_deny: bool,
    /// In lower case: IAM does not tell the cases of actions apart.
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
    conditions: Vec<Condition>,
}

/// Whom and what a policy is set for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// Twelve digits.
    pub(crate) account_id: &'a str,
    pub(crate) vault_arn: &'a str,
}

/// A request, as far as policies can tell one from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The API's name.
    pub(crate) operation: &'a str,
    pub(crate) vault_arn: &'a str,
    /// `None`: the request is not about an archive that exists.
    pub(crate) archive_age_days: Option<u64>,
    pub(crate) tags: &'a [(String, String)],
}

impl Policy {
    /// Reads a policy for a vault.
    pub(crate) fn parse(text: &str, subject: Subject<'_>) -> Result<Self, Refusal> {
        if text.len() > MAX_LEN {
            return Err(error::invalid_policy(&format!("it has {} bytes; at most {MAX_LEN} are allowed", text.len())));
        }
        let Document(document) =
            serde_json::from_str(text).map_err(|error| error::invalid_policy(&format!("it is not JSON: {error}")))?;
        let document = object(&document, "the policy")?;
        only(document, &["Version", "Id", "Statement"])?;
        optional_text(document, "Id")?;
        match document.get("Version").map(Value::as_str) {
            None | Some(Some("2012-10-17" | "2008-10-17")) => {}
            Some(_) => return Err(error::invalid_policy("Version is 2012-10-17 or 2008-10-17")),
        }
        let statements = one_or_more(document.get("Statement"), "Statement")?;
        let statements = statements.into_iter().map(|statement| Statement::parse(statement, subject));
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }

    /// The statement that denies the request, as a message may name it; `None`: none does.
    pub(crate) fn denies(&self, question: &Question<'_>) -> Option<String> {
        let denying = self.statements.iter().position(|statement| statement.is_deny && statement.applies(question))?;
        let sid = self.statements.get(denying).and_then(|statement| statement.sid.clone());
        Some(sid.map_or_else(|| format!("statement {}", denying + 1), |sid| format!("statement \"{sid}\"")))
    }
}

impl Statement {
    fn parse(value: &Value, subject: Subject<'_>) -> Result<Self, Refusal> {
        let fields = object(value, "a statement")?;
        only(fields, &["Sid", "Effect", "Principal", "Action", "Resource", "Condition"])?;
        check_principal(fields.get("Principal"), subject.account_id)?;
        let is_deny = match fields.get("Effect").map(Value::as_str) {
            Some(Some("Deny")) => true,
            Some(Some("Allow")) => false,
            _ => return Err(error::invalid_policy("Effect is Allow or Deny")),
        };
        let resources = texts(fields.get("Resource"), "Resource")?.into_iter().map(Pattern::new).collect::<Vec<_>>();
        if !resources.iter().any(|resource| resource.matches(subject.vault_arn)) {
            let arn = subject.vault_arn;
            return Err(error::invalid_policy(&format!("Resource does not name this vault, which is {arn}")));
        }
        let conditions = match fields.get("Condition") {
            None => Vec::new(),
            Some(conditions) => Condition::parse_all(object(conditions, "Condition")?)?,
        };
        Ok(Self {
            sid: optional_text(fields, "Sid")?.map(|sid| sid.chars().take(128).collect()),
            is_deny,
            actions: texts(fields.get("Action"), "Action")?.into_iter().map(parse_action).collect::<Result<_, _>>()?,
            resources,
            conditions,
        })
    }

    fn applies(&self, question: &Question<'_>) -> bool {
        let action = format!("glacier:{}", question.operation).to_ascii_lowercase();
        self.actions.iter().any(|pattern| pattern.matches(&action))
            && self.resources.iter().any(|pattern| pattern.matches(question.vault_arn))
            && self.conditions.iter().all(|condition| condition.holds(question))
    }
}

fn parse_action(text: &str) -> Result<Pattern, Refusal> {
    let pattern = Pattern::new(&text.to_ascii_lowercase());
    let known = OPERATIONS.iter().any(|name| pattern.matches(&format!("glacier:{name}").to_ascii_lowercase()));
    known.then_some(pattern).ok_or_else(|| error::invalid_policy_part("Action", text))
}

/// Nobody but the account signs requests, so a rule for anybody else would never hold.
fn check_principal(value: Option<&Value>, account_id: &str) -> Result<(), Refusal> {
    let value = value.ok_or_else(|| error::invalid_policy("Principal is missing"))?;
    let names = match value {
        Value::Object(kinds) => {
            only(kinds, &["AWS"])?;
            texts(kinds.get("AWS"), "Principal")?
        }
        other => texts(Some(other), "Principal")?,
    };
    let root = format!("arn:aws:iam::{account_id}:root");
    match names.into_iter().find(|name| *name != "*" && *name != account_id && *name != root) {
        Some(other) => Err(error::invalid_policy_part("Principal", other)),
        None => Ok(()),
    }
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| error::invalid_policy(&format!("{what} must be an object")))
}

/// Refuses what is not judged.
fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(error::invalid_policy_part("element", other)),
        None => Ok(()),
    }
}

/// A value, or a list of at least one.
fn one_or_more<'a>(value: Option<&'a Value>, what: &str) -> Result<Vec<&'a Value>, Refusal> {
    match value {
        None | Some(Value::Null) => Err(error::invalid_policy(&format!("{what} is missing"))),
        Some(Value::Array(values)) if values.is_empty() => Err(error::invalid_policy(&format!("{what} is empty"))),
        Some(Value::Array(values)) => Ok(values.iter().collect()),
        Some(one) => Ok(vec![one]),
    }
}

/// A name that somebody gave, which decides nothing.
fn optional_text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = fields.get(name) else { return Ok(None) };
    value.as_str().map(Some).ok_or_else(|| error::invalid_policy(&format!("{name} must be a string")))
}

fn texts<'a>(value: Option<&'a Value>, what: &str) -> Result<Vec<&'a str>, Refusal> {
    let texts = one_or_more(value, what)?.into_iter().map(Value::as_str).collect::<Option<_>>();
    texts.ok_or_else(|| error::invalid_policy(&format!("{what} must be a string or a list of strings")))
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
