//! The body of `POST /v1/sign`: `{"intents": [Intent, …]}`, read strictly.

use std::cell::Cell;
use std::fmt;

use glacier_core::Intent;
use glacier_core::intent::{MAX_INTENTS, RefusalCode};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Refused;

/// Most bytes of the body: a hundred intents with the longest description each, or a few with the longest policy.
pub const MAX_LEN: usize = 256 << 10;

/// Reads a batch of 1 to [`MAX_INTENTS`] intents.
///
/// # Errors
/// [`Refused`] with the index of the intent that is at fault, where one is. No text of the body is repeated.
pub fn read(body: &[u8]) -> Result<Vec<Intent>, Refused> {
    let place = Place { intent: Cell::new(None), too_many: Cell::new(false) };
    let mut json = serde_json::Deserializer::from_slice(body);
    let intents = BatchSeed(&place).deserialize(&mut json).and_then(|intents| json.end().map(|()| intents));
    let intents = intents.map_err(|error| match error.classify() {
        _ if place.too_many.get() => Refused::new(RefusalCode::TooLarge, "more than 100 intents; send several batches"),
        serde_json::error::Category::Data => Refused {
            code: RefusalCode::InvalidRequest,
            message: match place.intent.get() {
                Some(_) => "the intent is not an operation of the contract with exactly its fields and legal values",
                None => "expected an object with the one member \"intents\", a list of 1 to 100 intents",
            },
            intent: place.intent.get(),
        },
        _ => Refused::new(RefusalCode::MalformedJson, "the body is not JSON"),
    })?;
    if intents.is_empty() {
        return Err(Refused::new(RefusalCode::InvalidRequest, "expected at least one intent"));
    }
    Ok(intents)
}

/// Where the reader is, for the refusal.
struct Place {
    intent: Cell<Option<usize>>,
    too_many: Cell<bool>,
}

struct BatchSeed<'p>(&'p Place);

impl<'de> DeserializeSeed<'de> for BatchSeed<'_> {
    type Value = Vec<Intent>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Intent>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BatchSeed<'_> {
    type Value = Vec<Intent>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with intents")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Intent>, A::Error> {
        let mut intents = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "intents" || intents.is_some() {
                // Read on, so that a body that is no JSON is called that.
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("unknown or repeated member"));
            }
            intents = Some(map.next_value_seed(IntentsSeed(self.0))?);
        }
        intents.ok_or_else(|| A::Error::missing_field("intents"))
    }
}

struct IntentsSeed<'p>(&'p Place);

impl<'de> DeserializeSeed<'de> for IntentsSeed<'_> {
    type Value = Vec<Intent>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Intent>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for IntentsSeed<'_> {
    type Value = Vec<Intent>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of intents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Intent>, A::Error> {
        let mut intents = Vec::new();
        loop {
            if intents.len() == MAX_INTENTS {
                // Whatever it is, it is one too many.
                if list.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
                self.0.too_many.set(true);
                return Err(A::Error::custom("too many intents"));
            }
            self.0.intent.set(Some(intents.len()));
            match list.next_element_seed(IntentSeed)? {
                Some(intent) => intents.push(intent),
                None => break,
            }
        }
        self.0.intent.set(None);
        Ok(intents)
    }
}

/// Reads an intent as an object only: serde would take a list of its values in order as well.
struct IntentSeed;

impl<'de> DeserializeSeed<'de> for IntentSeed {
    type Value = Intent;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Intent, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for IntentSeed {
    type Value = Intent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an intent")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Intent, A::Error> {
        Intent::deserialize(MapAccessDeserializer::new(Named { map, key: String::new() }))
    }
}

/// The members of an intent or a job. Which it is, is told by a text: serde would take the number of a variant as well.
struct Named<A> {
    map: A,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Named<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.map.next_key::<String>()? else { return Ok(None) };
        let read = seed.deserialize(key.as_str().into_deserializer());
        self.key = key;
        read.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.key.as_str() {
            "op" | "type" => seed.deserialize(self.map.next_value::<String>()?.into_deserializer()),
            "job" => self.map.next_value_seed(JobSeed(seed)),
            _ => self.map.next_value_seed(seed),
        }
    }
}

/// Reads a job as an object only, as [`IntentSeed`] an intent.
struct JobSeed<V>(V);

impl<'de, V: DeserializeSeed<'de>> DeserializeSeed<'de> for JobSeed<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V: DeserializeSeed<'de>> Visitor<'de> for JobSeed<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a job")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.deserialize(MapAccessDeserializer::new(Named { map, key: String::new() }))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const LIST: &str = r#"{"op":"ListParts","vault":"photos","uploadId":"u"}"#;

    #[test]
    fn a_batch_of_one_to_a_hundred_intents_is_read() {
        for count in [1, 2, 100] {
            let body = format!(r#"{{"intents":[{}]}}"#, vec![LIST; count].join(","));
            assert_eq!(read(body.as_bytes()).unwrap().len(), count);
        }
    }

    #[test]
    fn operations_and_kinds_of_jobs_are_named_and_not_numbered() {
        let job = |job: &str| format!(r#"{{"op":"InitiateJob","vault":"photos","job":{job}}}"#);
        let is_read = |intent: &str| read(format!(r#"{{"intents":[{intent}]}}"#).as_bytes()).is_ok();
        assert!(is_read(LIST) && is_read(&job(r#"{"type":"archive-retrieval","archiveId":"a"}"#)));
        for number in 0..50 {
            assert!(!is_read(&LIST.replace(r#""ListParts""#, &number.to_string())), "{number}");
            let rest = r#"{"op":OP,"vault":"photos"}"#.replace("OP", &number.to_string());
            assert!(!is_read(&rest), "{number}");
            assert!(!is_read(&job(&format!(r#"{{"type":{number}}}"#))), "{number}");
            assert!(!is_read(&job(&format!(r#"{{"type":{number},"archiveId":"a"}}"#))), "{number}");
        }
        assert!(!is_read(&job(r#"["archive-retrieval","a"]"#)));
        assert!(!is_read(&job(r#"[{"type":"archive-retrieval","archiveId":"a"}]"#)));
        assert!(!is_read(&job(r#"{"type":"inventory-retrieval","type":"inventory-retrieval"}"#)));
    }

    #[test]
    fn what_is_not_the_contract_is_refused_with_its_place() {
        use RefusalCode::{InvalidRequest, MalformedJson, TooLarge};
        let batch = |intents: &str| format!(r#"{{"intents":[{intents}]}}"#).into_bytes();
        let cases: Vec<(Vec<u8>, RefusalCode, Option<usize>)> = vec![
            (b"".to_vec(), MalformedJson, None),
            (b"{".to_vec(), MalformedJson, None),
            (b"null".to_vec(), InvalidRequest, None),
            (b"[]".to_vec(), InvalidRequest, None),
            (b"{}".to_vec(), InvalidRequest, None),
            (br#"{"intents":[]}"#.to_vec(), InvalidRequest, None),
            (br#"{"intents":null}"#.to_vec(), InvalidRequest, None),
            (br#"{"intents":{}}"#.to_vec(), InvalidRequest, None),
            (br#"{"to_sign":"AWS4-HMAC-SHA256"}"#.to_vec(), InvalidRequest, None),
            (format!(r#"{{"intents":[{LIST}],"host":"evil"}}"#).into(), InvalidRequest, None),
            (format!(r#"{{"intents":[{LIST}],"intents":[{LIST}]}}"#).into(), InvalidRequest, None),
            (format!(r#"{{"intents":[{LIST}]}} x"#).into(), MalformedJson, None),
            (batch("1"), InvalidRequest, Some(0)),
            (batch("null"), InvalidRequest, Some(0)),
            (batch(r#"["ListParts","photos","u"]"#), InvalidRequest, Some(0)),
            (batch(&format!("{LIST},{{}}")), InvalidRequest, Some(1)),
            (batch(&format!("{LIST},{LIST},{}", LIST.replace("photos", "../b"))), InvalidRequest, Some(2)),
            (batch(&LIST.replace("}", r#","host":"evil"}"#)), InvalidRequest, Some(0)),
            (batch(&LIST.replace("}", r#","vault":"other"}"#)), InvalidRequest, Some(0)),
            (batch(&LIST.replace("}", r#","op":"AbortMultipartUpload"}"#)), InvalidRequest, Some(0)),
            (batch(&LIST.replace("ListParts", "DeleteArchive")), InvalidRequest, Some(0)),
            (
                batch(r#"{"op":"InitiateMultipartUpload","vault":"v","partSize":1048576,"size":1e30}"#),
                InvalidRequest,
                Some(0),
            ),
            (
                batch(r#"{"op":"InitiateMultipartUpload","vault":"v","partSize":1048576,"size":-1}"#),
                InvalidRequest,
                Some(0),
            ),
            (
                batch(r#"{"op":"InitiateMultipartUpload","vault":"v","partSize":1048576,"size":18446744073709551616}"#),
                InvalidRequest,
                Some(0),
            ),
            (
                batch(&format!(
                    r#"{{"op":"InitiateMultipartUpload","vault":"v","partSize":1048576,"size":{}}}"#,
                    "9".repeat(100_000)
                )),
                MalformedJson,
                None,
            ),
            (
                batch(r#"{"op":"InitiateMultipartUpload","vault":"v","partSize":3145728,"size":1}"#),
                InvalidRequest,
                Some(0),
            ),
            (batch(&LIST.replace("photos", r"\ud800")), MalformedJson, None),
            ([b"{\"intents\":[{\"op\":\"".as_slice(), &[0xff], b"\"}]}"].concat(), MalformedJson, None),
            (format!(r#"{{"intents":{}"#, "[".repeat(100_000)).into(), InvalidRequest, Some(0)),
            (format!(r#"{{"x":{}"#, "[".repeat(100_000)).into(), MalformedJson, None),
            (format!(r#"{{"intents":[{{"op":{}"#, "[".repeat(100_000)).into(), InvalidRequest, Some(0)),
            (batch(&vec![LIST; 101].join(",")), TooLarge, None),
        ];
        for (body, code, intent) in cases {
            let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
            let refused = read(&body).unwrap_err();
            assert_eq!((refused.code, refused.intent), (code, intent), "{shown}");
        }
    }
}
