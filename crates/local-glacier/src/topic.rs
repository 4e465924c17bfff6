//! Names of topics, which jobs and vaults announce completions to.

use std::fmt;

/// The ARN of an Amazon SNS topic: `arn:aws:sns:us-east-1:123456789012:name`. Whether it exists is never asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicArn(String);

impl TopicArn {
    /// Reads an ARN of at most 512 characters: partition `aws` or one that begins with `aws-`, service `sns`, a
    /// region, an account of twelve digits, a name of `[A-Za-z0-9_.-]`.
    ///
    /// # Errors
    /// [`InvalidTopicArn`] for anything else.
    pub fn new(text: &str) -> Result<Self, InvalidTopicArn> {
        let fields: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = fields.as_slice() else { return Err(InvalidTopicArn) };
        let lower = |field: &str| {
            !field.is_empty()
                && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let legal = text.len() <= 512
            && (*partition == "aws" || partition.starts_with("aws-"))
            && lower(partition)
            && lower(region)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if legal { Ok(Self(text.to_owned())) } else { Err(InvalidTopicArn) }
    }

    /// The ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for TopicArn {
    type Err = InvalidTopicArn;

    fn from_str(text: &str) -> Result<Self, InvalidTopicArn> {
        Self::new(text)
    }
}

/// A text that is no ARN of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTopicArn;

impl fmt::Display for InvalidTopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic is named arn:aws:sns:REGION:ACCOUNT:NAME")
    }
}

impl std::error::Error for InvalidTopicArn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_topics_are_told_from_others() {
        for good in ["arn:aws:sns:us-east-1:123456789012:jobs", "arn:aws-cn:sns:cn-north-1:123456789012:a_b-c.fifo"] {
            assert_eq!(TopicArn::new(good).unwrap().as_str(), good);
        }
        let long = format!("arn:aws:sns:us-east-1:123456789012:{}", "n".repeat(500));
        for bad in [
            "",
            "jobs",
            "arn:aws:sqs:us-east-1:123456789012:jobs",
            "arn:aws:sns:us-east-1:1234:jobs",
            "arn:aws:sns:us-east-1:123456789012:",
            "arn:aws:sns::123456789012:jobs",
            "arn:gcp:sns:us-east-1:123456789012:jobs",
            "arn:aws:sns:us-east-1:123456789012:jobs:subscription",
            "arn:aws:sns:us-east-1:123456789012:j\u{f6}bs",
            " arn:aws:sns:us-east-1:123456789012:jobs",
            &long,
        ] {
            assert_eq!(TopicArn::new(bad), Err(InvalidTopicArn), "{bad:?}");
        }
    }
}
