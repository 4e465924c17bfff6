//! The only places that a message can make the gateway call: hosts of Amazon SNS, by URLs written here.

use std::fmt;

use local_glacier::TopicArn;

/// A URL at Amazon SNS. Made by the rules of this file only, never of what was posted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(String);

impl Place {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `https://sns.REGION.amazonaws.com/SimpleNotificationService-HEX.pem`, with `.cn` in China.
    pub(super) fn certificate(url: &str) -> Option<Self> {
        let (host, path) = host_and_path(url)?;
        let number = path.strip_prefix("SimpleNotificationService-")?.strip_suffix(".pem")?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let legal = (8..=128).contains(&number.len()) && number.bytes().all(is_hex);
        legal.then(|| Self(format!("https://{host}/SimpleNotificationService-{number}.pem")))
    }

    /// `https://sns.REGION.amazonaws.com/?Action=ConfirmSubscription&TopicArn=…&Token=…` of that topic and its region.
    pub(super) fn subscription(url: &str, topic: &TopicArn, token: &str) -> Option<Self> {
        let (host, path) = host_and_path(url)?;
        let region = topic.as_str().split(':').nth(3)?;
        let is_token = (1..=1024).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let expected = format!("?Action=ConfirmSubscription&TopicArn={topic}&Token={token}");
        let legal = is_token && host == host_of(region)? && path == expected;
        legal.then(|| Self(format!("https://{host}/{expected}")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host, made of the region in it, and what follows its slash.
fn host_and_path(url: &str) -> Option<(String, &str)> {
    let (authority, path) = url.strip_prefix("https://")?.split_once('/')?;
    let region = authority.strip_prefix("sns.")?.split('.').next()?;
    let host = host_of(region)?;
    (host == authority).then_some((host, path))
}

fn host_of(region: &str) -> Option<String> {
    let in_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    // At least us-x-1: no part of the world has a shorter one.
    let legal = (6..=32).contains(&region.len())
        && region.bytes().all(in_region)
        && region.starts_with(|first: char| first.is_ascii_lowercase())
        && region.contains('-')
        && region.ends_with(|last: char| last.is_ascii_digit());
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    legal.then(|| format!("sns.{region}.amazonaws.com{suffix}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const PEM: &str = "SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem";

    #[test]
    fn certificates_are_at_amazon_sns_and_nowhere_else() {
        for good in
            ["sns.us-west-2.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn", "sns.us-gov-west-1.amazonaws.com"]
        {
            let url = format!("https://{good}/{PEM}");
            assert_eq!(Place::certificate(&url).unwrap().as_str(), url);
        }
        for bad in [
            "",
            "sns.us-west-2.amazonaws.com.evil.example",
            "sns.us-west-2.amazonaws.com.cn",
            "sns.cn-north-1.amazonaws.com",
            "sns.us-west-2.amazonaws.com:443",
            "sns.us-west-2.amazonaws.com:8443",
            "sns.us-west-2.amazonaws.com@evil.example",
            "evil@sns.us-west-2.amazonaws.com",
            "evil.example#sns.us-west-2.amazonaws.com",
            "evil.example\\@sns.us-west-2.amazonaws.com",
            "sns.evil.example.amazonaws.com",
            "sns..amazonaws.com",
            "sns.evil.amazonaws.com",
            "sns.us-west-2.amazonaws.com.",
            "SNS.us-west-2.amazonaws.com",
            "sns.us-west-2%2eamazonaws.com",
            "s3.us-west-2.amazonaws.com",
            "bucket.s3.amazonaws.com",
            "169.254.169.254",
            "[::1]",
            "localhost",
        ] {
            assert_eq!(Place::certificate(&format!("https://{bad}/{PEM}")), None, "{bad}");
        }
        for bad in [
            format!("http://sns.us-west-2.amazonaws.com/{PEM}"),
            format!("HTTPS://sns.us-west-2.amazonaws.com/{PEM}"),
            format!(" https://sns.us-west-2.amazonaws.com/{PEM}"),
            format!("https:/sns.us-west-2.amazonaws.com/{PEM}"),
            format!("https://sns.us-west-2.amazonaws.com//{PEM}"),
            format!("https://sns.us-west-2.amazonaws.com/a/../{PEM}"),
            format!("https://sns.us-west-2.amazonaws.com/{PEM}?x"),
            format!("https://sns.us-west-2.amazonaws.com/{PEM}#x"),
            "https://sns.us-west-2.amazonaws.com/".into(),
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-.pem".into(),
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-../../../../x.pem".into(),
        ] {
            assert_eq!(Place::certificate(&bad), None, "{bad}");
        }
    }

    #[test]
    fn subscriptions_are_confirmed_where_the_topic_is() {
        let topic = TopicArn::new("arn:aws:sns:us-west-2:123456789012:jobs").unwrap();
        let query = "?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:jobs&Token=2336412f37";
        let good = format!("https://sns.us-west-2.amazonaws.com/{query}");
        assert_eq!(Place::subscription(&good, &topic, "2336412f37").unwrap().as_str(), good);
        for (bad, token) in [
            (good.replace("us-west-2.amazonaws", "us-east-1.amazonaws"), "2336412f37"),
            (good.replace("amazonaws.com", "amazonaws.com.evil.example"), "2336412f37"),
            (good.replace("Confirm", "Delete"), "2336412f37"),
            (good.replace(":jobs", ":others"), "2336412f37"),
            (good.replace("https", "http"), "2336412f37"),
            (format!("{good}&Action=Publish"), "2336412f37"),
            (good.clone(), "2336412f38"),
            (good.replace("2336412f37", "a&b=c"), "a&b=c"),
        ] {
            assert_eq!(Place::subscription(&bad, &topic, token), None, "{bad}");
        }
    }
}
